# frozen_string_literal: true

require "factor2"
require "json"
require "minitest/autorun"
require "open3"
require "tmpdir"

# What the tests share. They run the library that the loader finds, with real processes and threads.
module Helper
  SECRET = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"
  # What the clock of +authenticator+ shows, and SECRET's code then.
  NOW = 1_800_000_000
  OTP = "967967"
  CASES = JSON.parse(File.read(File.expand_path("../../cases.json", __dir__)), freeze: true)

  def authenticator(**settings)
    Factor2::Authenticator.new(issuer: "Example", fixed_time: NOW, **settings)
  end

  # Gives the block the settings of a guard in a file, which is in a folder of its own.
  def with_sqlite
    Dir.mktmpdir do |folder|
      path = File.join(folder, "factor2.db")
      yield({ store: "sqlite", path:, create: true, budget_ms: 5000 }, path)
    end
  end

  # How often this process has a file open.
  def open_files(path)
    Dir.glob("/proc/self/fd/*").count do |link|
      File.readlink(link) == path
    rescue Errno::ENOENT
      false
    end
  end

  # Runs the block while another process holds SQLite's lock on the file; the block is given what lets go.
  def with_locked(path)
    program = <<~PYTHON
      import sqlite3, sys
      file = sqlite3.connect(sys.argv[1], isolation_level=None)
      file.execute("BEGIN IMMEDIATE")
      print("locked", flush=True)
      sys.stdin.readline()
      file.execute("ROLLBACK")
      file.close()
    PYTHON
    Open3.popen2("python3", "-c", program, path) do |input, output, process|
      assert_equal "locked\n", output.gets
      yield(lambda do
        input.close
        assert_predicate process.value, :success?
      end)
    ensure
      input.close
    end
  end

  # A thread that verifies OTP, and by now waits for the store.
  def waiting_verification(authenticator)
    thread = Thread.new { authenticator.verify(totpsecret: SECRET, otp: OTP) }
    thread.report_on_exception = false
    Thread.pass until thread.stop?
    thread
  end
end
