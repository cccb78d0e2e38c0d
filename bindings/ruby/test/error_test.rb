# frozen_string_literal: true

require_relative "helper"

# The classes of exceptions.
class ErrorTest < Minitest::Test
  include Helper

  def test_each_status_has_its_class
    named = CASES["statuses"].reject { |row| row["status"].zero? }
    named.each do |row|
      error = Factor2::Error.for(row["status"], "why", 7)
      assert_instance_of Factor2.const_get(row["name"]), error
      assert_kind_of Factor2::Error, error
      assert_equal row["name"], error.class.name.delete_prefix("Factor2::")
      assert_equal [row["status"], row["name"], row["http_status"], "why", 7],
                   [error.status, error.code, error.http_status, error.message, error.retry_after]
    end
    errors = Factor2.constants.map { |name| Factor2.const_get(name) }.grep(Class).select { |it| it < Factor2::Error }
    assert_equal named.size, (errors - [Factor2::CodeError]).size
  end

  def test_a_refused_code_is_told_from_all_else
    refused = CASES["statuses"].drop(1).select { |row| Factor2.const_get(row["name"]) < Factor2::CodeError }
    assert_equal(%w[InvalidToken TokenReused Throttled Disabled], refused.map { |row| row["name"] })
  end

  def test_an_unknown_status_is_an_error
    error = Factor2::Error.for(299)
    assert_instance_of Factor2::Error, error
    assert_equal [299, "UnknownError", 500, "UnknownError"],
                 [error.status, error.code, error.http_status, error.message]
  end

  def test_errors_are_standard_errors
    assert_operator Factor2::Error, :<, StandardError
  end
end
