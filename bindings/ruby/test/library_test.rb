# frozen_string_literal: true

require_relative "helper"
require "rbconfig"

# How the gem finds the library.
class LibraryTest < Minitest::Test
  def test_the_versions_agree
    assert_equal Factor2::VERSION, Factor2::Library.version
  end

  def test_a_path_in_the_environment_is_taken_instead
    path = File.readlines("/proc/self/maps").filter_map { |line| line[%r{/.*/libfactor2\.so\S*}] }.first
    Dir.mktmpdir do |folder|
      other = File.join(folder, "mine.so")
      File.symlink(path, other)
      said, status = factor2(other)
      assert_predicate status, :success?, said
      assert_equal "#{Factor2::VERSION}\n", said
    end
  end

  # Missing, no library at all, a library that is another one.
  def test_a_wrong_path_is_named_with_what_to_do
    ["/nonexistent/missing.so", "/etc/passwd", "libc.so.6"].each do |path|
      said, status = factor2(path)
      refute_predicate status, :success?
      message = said.lines.reject { |line| line.start_with?("\tfrom ") }.join
      assert_match(/LoadError/, message)
      assert_includes message, "set FACTOR2_LIBRARY to the path of libfactor2.so.0; it is #{path.inspect} now."
    end
  end

  private

  def factor2(library)
    Open3.capture2e({ "FACTOR2_LIBRARY" => library, "LD_LIBRARY_PATH" => nil }, RbConfig.ruby, "-w",
                    "-I#{File.expand_path('../lib', __dir__)}", "-rfactor2", "-e", "puts Factor2::Library.version")
  end
end
