# frozen_string_literal: true

require_relative "helper"

# What goes in and what comes out: encodings, pictures, frozen responses that show no secret.
class DataTest < Minitest::Test
  include Helper

  def test_a_scanner_reads_the_picture
    factor2 = authenticator(issuer: "Zoë & Co")
    secret = factor2.create_secret(username: "bob@example.com")
    picture = factor2.qr(username: "bob@example.com", totpsecret: secret.totpsecret)
    assert_equal secret.png, picture.data
    assert_equal secret.png, secret.qr.delete_prefix("data:image/png;base64,").unpack1("m0")
    assert_equal picture.bytes, picture.data.bytesize
    uri, _, status = Open3.capture3("zbarimg", "--quiet", "--raw", "-", stdin_data: picture.data, binmode: true)
    assert_predicate status, :success?
    assert_equal secret.uri, uri.chomp
  end

  def test_a_picture_for_the_terminal_is_text
    picture = authenticator.qr(username: "bob", totpsecret: SECRET, format: :text)
    assert_predicate picture.data, :valid_encoding?
    assert_equal [picture.width] * picture.height, picture.data.lines(chomp: true).map(&:length)
    assert_equal picture.bytes, picture.data.bytesize
  end

  def test_other_encodings_are_converted
    factor2 = authenticator
    uris = [Encoding::UTF_8, Encoding::UTF_16LE, Encoding::ISO_8859_1].map do |encoding|
      factor2.create_secret(username: "Zoë".encode(encoding), totpsecret: SECRET.encode(encoding)).uri
    end
    uris << factor2.create_secret(username: "Zoë".b, totpsecret: SECRET.b).uri
    assert_equal ["otpauth://totp/Example:Zo%C3%AB?secret=#{SECRET}&issuer=Example"], uris.uniq
  end

  def test_what_is_not_text_is_refused_by_name
    factor2 = authenticator
    [+"Zo\xEB", "Zo\xEB".b, "Zo\xEB".dup.force_encoding("US-ASCII"), "a".dup.force_encoding("UTF-7"),
     Object.new, 1.5].each do |username|
      error = assert_raises(Factor2::BadRequest) { factor2.create_secret(username:) }
      assert_match(/\Ausername: /, error.message)
      assert_nil error.cause
    end
    error = assert_raises(Factor2::Configuration) { authenticator(guard: { store: "sqlite", path: "\xFF" }) }
    assert_match(/\Aguard: /, error.message)
    endless = { username: "bob" }
    endless[:friend] = endless
    assert_raises(Factor2::BadRequest) { factor2.prepare_configuration(user: endless) }
  end

  def test_a_nul_is_text
    error = assert_raises(Factor2::InvalidToken) { authenticator.verify(totpsecret: SECRET, otp: "#{OTP}\0") }
    assert_nil error.retry_after
  end

  def test_ruby_refuses_what_is_not_an_argument
    assert_raises(ArgumentError) { authenticator.verify(totpsecret: SECRET, otp: OTP, admin: true) }
    assert_raises(ArgumentError) { authenticator(color: "red") }
  end

  def test_symbols_are_taken_for_strings
    factor2 = authenticator(algorithm: :SHA256, guard: { store: :none }, window: { past: 0, future: 0 })
    description = factor2.describe
    assert_equal ["SHA256", "caller", 0],
                 [description.algorithm, description.guard["scope"], description.window["past"]]
  end

  def test_responses_are_frozen_and_equal_by_value
    first, second = Array.new(2) { authenticator.qr(username: "bob", totpsecret: SECRET) }
    assert_equal first, second
    assert_equal 1, [first, second].uniq.size
    assert_raises(FrozenError) { first.to_h["uri"] = "" }
    assert_raises(FrozenError) { first.to_h["uri"] << "x" }
    assert_raises(FrozenError) { first.instance_variable_set(:@to_h, {}) }
    refute_equal first, authenticator.generate(totpsecret: SECRET)
  end

  def test_members_that_are_not_known_are_there_and_are_not_shown
    response = Factor2::Verification.new({ "accepted" => true, "news" => SECRET }.freeze)
    assert_equal SECRET, response[:news]
    assert_nil response.step
    assert_equal "#<Factor2::Verification accepted=true>", response.inspect
  end

  def test_recovery_codes_and_keys_are_not_shown
    key = ["0123456789abcdef" * 2].pack("m0")
    factor2 = authenticator(seal: { keys: { k1: key }, use: "k1" })
    set = factor2.create_recovery_codes(count: 2)
    assert_equal "#<Factor2::RecoveryCodes>", set.inspect
    shown = [factor2, factor2.describe, factor2.verify_recovery_code(recovery: set.recovery, code: set.codes.last)]
    texts = shown.map(&:inspect).join("\n")
    [key, *set.codes].each { |word| refute_includes texts, word }
    assert_includes texts, "number=2, remaining=1"
  end

  def test_findings_have_methods_and_are_frozen
    diagnosis = authenticator.diagnose(totpsecret: SECRET, otp: "745994")
    refute diagnosis.right
    finding = diagnosis.findings.fetch(0)
    assert_equal ["clock", 2, 60, nil, nil], [finding.what, finding.drift, finding.drift_s, finding.step, finding.ahead]
    assert_in_delta 0.0057, finding.chance, 0.0001
    assert_predicate diagnosis.findings, :frozen?
    assert_predicate finding, :frozen?
    assert_match(/ right=false, findings=\[\{.*"drift_s" ?=> ?60\b/, diagnosis.inspect)
    refute_includes diagnosis.inspect, "745994"
  end

  def test_the_last_step_is_that_of_either_type
    token = "otpauth://hotp/bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0"
    factor2 = authenticator(guard: { store: :none })
    assert_equal 0, factor2.verify(totpsecret: token, otp: "755224").last_step
    assert_equal NOW / 30, factor2.verify(totpsecret: SECRET, otp: OTP).last_step
    refute_includes factor2.read_uri(uri: token).inspect, "GEZDGNBV"
  end

  def test_nobody_is_let_in_without_a_secret
    factor2 = authenticator
    assert_raises(Factor2::InvalidToken) { factor2.verify(totpsecret: nil, otp: OTP) }
    refute factor2.verify?(totpsecret: nil, otp: OTP)
    assert_raises(Factor2::InvalidToken) { factor2.verify_recovery_code(recovery: nil, code: "2222" * 6) }
    assert_raises(Factor2::BadRequest) { factor2.inspect_record }
  end

  def test_nothing_shows_a_secret
    factor2 = authenticator(factor_name: "totp")
    key = { data: { totpsecret: SECRET, factor2: "totp" } }
    shown = [factor2, factor2.create_secret(username: "bob", totpsecret: SECRET),
             factor2.qr(username: "bob", totpsecret: SECRET, format: "text"),
             again = factor2.reprepare_configuration(username: "bob", session_key: key), again.user_data,
             again.secrets, factor2.generate(totpsecret: SECRET), factor2.verify(totpsecret: SECRET, otp: OTP)]
    prepared = factor2.prepare_configuration(user: { username: "bob" })
    shown += [prepared, prepared.user_data, prepared.session_data]
    texts = shown.flat_map { |it| [it.inspect, it.to_s] }.join("\n")
    [SECRET, OTP, "otpauth", "base64", "█", prepared.session_data.totpsecret].each do |word|
      refute_includes texts, word
    end
    assert_includes texts, "step=60000000"
  end
end
