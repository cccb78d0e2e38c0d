# frozen_string_literal: true

require "json"
require_relative "error"

module Factor2
  # One call of the C API: its response is copied into Ruby's memory and freed.
  module Call
    # Gives the block a place for the response; the block calls and gives the status. Returns the JSON and
    # the bytes beside it, or raises. The response is wiped and freed on every path, at once and not by the
    # garbage collector, because it holds secrets.
    def self.take
      place = FFI::MemoryPointer.new(:pointer)
      status = yield place
      response = place.read_pointer
      json = JSON.parse(json_text(response), freeze: true)
      raise error(status, json) unless status.zero?

      [json, bytes(:factor2_response_data, response)]
    ensure
      Library.factor2_response_free(place.read_pointer) if place
    end

    # An internal error has no response.
    def self.json_text(response)
      bytes(:factor2_response_json, response)&.force_encoding(Encoding::UTF_8) || "{}"
    end

    def self.bytes(accessor, response)
      length = FFI::MemoryPointer.new(:size_t)
      start = Library.public_send(accessor, response, length)
      start.read_bytes(length.get(:size_t, 0)) unless start.null?
    end

    def self.error(status, json)
      details = json.fetch("error", {})
      Error.for(status, details["message"], details["retry_after_s"])
    end
    private_class_method :json_text, :bytes, :error
  end
  private_constant :Call
end
