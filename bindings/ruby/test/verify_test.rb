# frozen_string_literal: true

require_relative "helper"

# verify and verify?, alone, in many threads, in many processes.
class VerifyTest < Minitest::Test
  include Helper

  def test_verify_p_is_true_for_an_accepted_code_only
    factor2 = authenticator(guard: { store: :memory, soft: 2, hard: 3 })
    refute factor2.verify?(totpsecret: SECRET, otp: "000000")
    refute factor2.verify?(totpsecret: SECRET, otp: nil)
    assert_same true, factor2.verify?(totpsecret: SECRET, otp: OTP, username: "bob")
    assert_same false, factor2.verify?(totpsecret: SECRET, otp: OTP)
    2.times { refute factor2.verify?(totpsecret: SECRET, otp: "000000") }
    assert_raises(Factor2::Throttled) { factor2.verify(totpsecret: SECRET, otp: OTP) }
    refute factor2.verify?(totpsecret: SECRET, otp: OTP)
  end

  def test_verify_p_raises_what_is_no_refusal_of_a_code
    factor2 = authenticator
    assert_raises(Factor2::InvalidSecret) { factor2.verify?(totpsecret: "not base32", otp: OTP) }
    assert_raises(Factor2::BadRequest) { factor2.verify?(totpsecret: SECRET, otp: 967_967) }
    factor2.close
    assert_raises(Factor2::InvalidHandle) { factor2.verify?(totpsecret: SECRET, otp: OTP) }
    down = authenticator(guard: { store: "redis", url: "redis://127.0.0.1:1" })
    assert_raises(Factor2::StoreUnavailable) { down.verify?(totpsecret: SECRET, otp: OTP) }
  end

  def test_verify_p_is_refused_where_the_caller_has_to_keep_the_step
    factor2 = authenticator(guard: { store: "none" })
    assert_raises(Factor2::Configuration) { factor2.verify?(totpsecret: SECRET, otp: OTP) }
    assert_equal NOW / 30, factor2.verify(totpsecret: SECRET, otp: OTP, last_step: nil).step
  end

  def test_verify_p_takes_the_drift_that_resync_found
    factor2 = authenticator
    # Nine steps ahead.
    pair = [8, 9].map { |steps| authenticator(fixed_time: NOW + (30 * steps)).generate(totpsecret: SECRET).otp }
    later = authenticator(fixed_time: NOW + 300).generate(totpsecret: SECRET).otp
    drift = factor2.resync(totpsecret: SECRET, otp: pair[0], next_otp: pair[1]).drift
    assert_equal 9, drift
    refute factor2.verify?(totpsecret: SECRET, otp: later)
    assert factor2.verify?(totpsecret: SECRET, otp: later, drift:)
  end

  def test_of_many_threads_one_gets_in
    factor2 = authenticator
    verdicts = Array.new(32) { Thread.new { factor2.verify?(totpsecret: SECRET, otp: OTP) } }.map(&:value)
    assert_equal 1, verdicts.count(true)
    assert_equal 31, verdicts.count(false)
  end

  def test_of_many_processes_one_gets_in
    with_sqlite do |guard|
      factor2 = authenticator(guard:)
      ready, go = IO.pipe
      children = Array.new(16) do
        fork do
          go.close
          ready.read
          exit!(verdict(factor2))
        end
      end
      ready.close
      go.close
      codes = children.map { |child| Process.wait2(child).last.exitstatus }
      assert_equal [0] + ([202] * 15), codes.sort
      assert_raises(Factor2::TokenReused) { factor2.verify(totpsecret: SECRET, otp: OTP) }
    end
  end

  def test_a_forked_child_ends_as_usual
    with_sqlite do |guard|
      factor2 = authenticator(guard:)
      child = fork do
        factor2.verify(totpsecret: SECRET, otp: OTP)
        exit
      end
      assert_predicate Process.wait2(child).last, :success?
      assert_raises(Factor2::TokenReused) { factor2.verify(totpsecret: SECRET, otp: OTP) }
    end
  end

  def test_the_memory_of_one_process_is_not_shared_by_fork
    factor2 = authenticator
    child = fork { exit!(verdict(factor2)) }
    assert_equal 302 % 256, Process.wait2(child).last.exitstatus
  end

  # A thread that waits for the store does not hold up the one that it waits for.
  def test_other_threads_run_while_one_waits_for_the_store
    with_sqlite do |guard, path|
      factor2 = authenticator(guard:)
      with_locked(path) do |let_go|
        waiting = waiting_verification(factor2)
        let_go.call
        assert_predicate waiting.value, :accepted
      end
    end
  end

  # While the main thread has a signal to handle, Ruby sends it one after the other.
  def test_signals_do_not_stretch_the_wait_for_the_store
    with_sqlite do |guard, path|
      factor2 = authenticator(guard: guard.merge(budget_ms: 300))
      handled = false
      old = trap("USR1") { handled = true }
      with_locked(path) do
        idle = Thread.new { Queue.new.pop }
        signal = fork { sleep(0.1) and Process.kill("USR1", Process.ppid) and exit!(true) }
        assert_raises(Factor2::StoreUnavailable) { factor2.verify(totpsecret: SECRET, otp: OTP) }
        Process.wait(signal)
        idle.kill
      end
      assert handled
    ensure
      trap("USR1", old)
    end
  end

  private

  def verdict(factor2)
    factor2.verify(totpsecret: SECRET, otp: OTP)
    0
  rescue Factor2::Error => e
    e.status % 256
  end
end
