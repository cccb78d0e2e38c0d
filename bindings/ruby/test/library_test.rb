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
      said, status = factor2(File.join(folder, "missing.so"))
      refute_predicate status, :success?
      assert_match(/LoadError.*missing\.so|missing\.so.*LoadError/m, said)
    end
  end

  private

  def factor2(library)
    Open3.capture2e({ "FACTOR2_LIBRARY" => library, "LD_LIBRARY_PATH" => nil }, RbConfig.ruby, "-w",
                    "-I#{File.expand_path('../lib', __dir__)}", "-rfactor2", "-e", "puts Factor2::Library.version")
  end
end
