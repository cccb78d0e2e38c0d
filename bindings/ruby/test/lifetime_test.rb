# frozen_string_literal: true

require_relative "helper"
require "timeout"

# Who frees what, and when.
class LifetimeTest < Minitest::Test
  include Helper

  def test_close_may_be_called_again_and_is_final
    factor2 = authenticator
    refute_predicate factor2, :closed?
    3.times { assert_nil factor2.close }
    assert_predicate factor2, :closed?
    calls = [-> { factor2.describe }, -> { factor2.inspect_record(totpsecret: SECRET) },
             -> { factor2.reset(totpsecret: SECRET) }, -> { factor2.qr(username: "bob", totpsecret: SECRET) }]
    calls.each { |call| assert_raises(Factor2::InvalidHandle, &call) }
  end

  def test_a_copy_shares_the_handle
    factor2 = authenticator
    copy = factor2.dup
    factor2.close
    assert_raises(Factor2::InvalidHandle) { copy.describe }
    copy.close
  end

  def test_close_frees_at_once
    with_sqlite do |guard, path|
      factor2 = authenticator(guard:)
      factor2.verify(totpsecret: SECRET, otp: OTP)
      assert_operator open_files(path), :>, 0
      factor2.close
      assert_equal 0, open_files(path)
    end
  end

  def test_what_nobody_closed_is_freed_when_it_is_collected
    with_sqlite do |guard, path|
      50.times { authenticator(guard:).describe }
      # The stack may still show the last one.
      GC.start
      assert_operator open_files(path), :<, 25
    end
  end

  def test_close_during_a_call_lets_the_call_end
    with_sqlite do |guard, path|
      factor2 = authenticator(guard:)
      with_locked(path) do |let_go|
        waiting = Array.new(3) { waiting_verification(factor2) }
        factor2.close
        assert_raises(Factor2::InvalidHandle) { factor2.describe }
        assert_operator open_files(path), :>, 0
        let_go.call
        verdicts = waiting.map { |thread| status(thread) }
        assert_equal [0, 202, 202], verdicts.sort
      end
      assert_equal 0, open_files(path)
    end
  end

  def test_a_killed_call_leaves_nothing_behind
    with_sqlite do |guard, path|
      factor2 = authenticator(guard:)
      with_locked(path) do |let_go|
        waiting = waiting_verification(factor2)
        waiting.kill
        let_go.call
        waiting.join
      end
      assert_equal 60_000_000, factor2.inspect_record(totpsecret: SECRET).last_step
      factor2.close
      assert_equal 0, open_files(path)
    end
  end

  def test_calls_that_are_killed_anywhere_leave_nothing_behind
    with_sqlite do |guard, path|
      factor2 = authenticator(guard:)
      300.times do
        thread = Thread.new { loop { factor2.inspect_record(totpsecret: SECRET) } }
        sleep(rand / 500)
        thread.kill.join
      end
      factor2.close
      assert_equal 0, open_files(path)
    end
  end

  def test_responses_are_freed
    factor2 = authenticator(qr: { module_px: 32 })
    before, after = [200, 3000].map do |count|
      count.times { factor2.qr(username: "bob" * 80, totpsecret: SECRET) }
      GC.start
      File.read("/proc/self/status")[/^VmRSS:\s*(\d+)/, 1].to_i
    end
    assert_operator after - before, :<, 16_000
  end

  def test_a_timeout_is_raised_once_the_call_has_ended
    with_sqlite do |guard, path|
      factor2 = authenticator(guard: guard.merge(budget_ms: 100))
      with_locked(path) do
        assert_raises(Timeout::Error) { Timeout.timeout(0.01) { factor2.verify(totpsecret: SECRET, otp: OTP) } }
      end
      assert_predicate factor2.verify(totpsecret: SECRET, otp: OTP), :accepted
      factor2.close
      assert_equal 0, open_files(path)
    end
  end

  def test_threads_may_call_while_others_close
    100.times do
      factor2 = authenticator
      threads = Array.new(4) do
        Thread.new do
          loop { factor2.inspect_record(totpsecret: SECRET) }
        rescue Factor2::InvalidHandle
          :closed
        end
      end
      Array.new(2) { Thread.new { factor2.close } }.each(&:join)
      assert_equal [:closed] * 4, threads.map(&:value)
    end
  end

  def test_calls_under_the_stress_of_the_collector
    factor2 = authenticator(qr: { module_px: 1 })
    GC.stress = true
    assert_predicate factor2.verify(totpsecret: SECRET, otp: OTP), :accepted
    assert_raises(Factor2::TokenReused) { factor2.verify(totpsecret: SECRET, otp: OTP) }
    assert_operator factor2.qr(username: "bob", totpsecret: SECRET).data.bytesize, :>, 100
  ensure
    GC.stress = false
  end

  def test_many_objects_and_a_collector_that_moves_them
    pictures = Array.new(300) do |count|
      GC.compact if (count % 50).zero? && GC.respond_to?(:compact)
      authenticator.qr(username: "bob", totpsecret: SECRET).data
    end
    assert_equal 1, pictures.uniq.size
  end

  private

  def status(thread)
    thread.value
    0
  rescue Factor2::Error => e
    e.status
  end
end
