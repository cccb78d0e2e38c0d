# frozen_string_literal: true

require_relative "helper"

# The list of cases that the tests of every binding run, through the typed methods.
class CasesTest < Minitest::Test
  include Helper

  OPERATIONS = { "inspect" => :inspect_record }.freeze
  ARGUMENTS = { "sessionKey" => :session_key }.freeze

  CASES["cases"].each do |example|
    define_method("test_case: #{example['name']}") { run_case(example) }
  end

  def test_each_case_is_a_test
    assert_equal CASES["cases"].size, self.class.public_instance_methods.grep(/\Atest_case: /).size
  end

  def run_case(example)
    settings = example["config"].transform_keys(&:to_sym)
    return fails_as(example["error"]) { Factor2::Authenticator.new(**settings) } if example["error"]

    authenticator = Factor2::Authenticator.new(**settings)
    authenticator.close if example["close"]
    refute_empty example["steps"]
    example["steps"].each { |step| run_step(authenticator, step) }
  ensure
    authenticator&.close
  end

  def run_step(authenticator, step)
    call = -> { authenticator.public_send(OPERATIONS.fetch(step["call"], step["call"]), **arguments(step["request"])) }
    return fails_as(step["error"], step["request"], &call) if step["error"]

    response = call.call
    assert_data step["data"], response.data
    step["response"].each { |name, expected| assert_member(expected, response, name) }
  end

  def arguments(request)
    request.to_h do |name, value|
      value = value["$repeat"][0] * value["$repeat"][1] if value.is_a?(Hash) && value.key?("$repeat")
      [ARGUMENTS.fetch(name, name.to_sym), value]
    end
  end

  # Frozen bytes of a PNG, a frozen text of blocks, or nil.
  def assert_data(kind, data)
    assert_predicate data, :frozen?
    start = { "png" => "\x89PNG\r\n\x1A\n".b, "svg" => "<svg ", "text" => "█" }[kind]
    return assert_nil(data) unless start

    assert data.start_with?(start)
    assert_equal start.encoding, data.encoding
  end

  # By its own method, as well as in the JSON.
  def assert_member(expected, response, name)
    value = response.public_send(name.gsub(/[A-Z]/) { |letter| "_#{letter.downcase}" })
    if value.is_a?(Factor2::Response)
      expected.each { |inner, inner_expected| assert_member(inner_expected, value, inner) }
    else
      assert_value expected, value
      assert_value expected, response[name]
      assert_predicate value, :frozen?
    end
  end

  def assert_value(expected, value)
    return expected.each { |name, inner| assert_member(inner, value, name) } if value.is_a?(Factor2::Response)

    case expected
    when Hash
      assert value.start_with?(expected["$prefix"]), value if expected["$prefix"]
      assert_equal expected["$length"], value.length if expected["$length"]
      expected.each { |name, inner| assert_value inner, value[name] unless name.start_with?("$") }
    when Array
      assert_equal expected.length, value.length
      expected.zip(value) { |pair| assert_value(*pair) }
    when nil then assert_nil value
    else assert_equal expected, value
    end
  end

  def fails_as(expected, request = {}, &)
    error = assert_raises(Factor2.const_get(expected["code"]), &)
    assert_equal expected["code"], error.code
    assert_equal expected["http_status"], error.http_status if expected["http_status"]
    if expected["retry_after_s"]
      assert_equal expected["retry_after_s"], error.retry_after
    else
      assert_nil error.retry_after
    end
    secret_words(request).each { |word| refute_includes error.full_message(highlight: false), word }
  end

  def secret_words(request)
    request.values_at("totpsecret", "otp").grep(String).flat_map { |text| text.scan(/[A-Z0-9]{6,}/) }
  end
end
