# frozen_string_literal: true

require "json"
require_relative "error"

module Factor2
  # Keyword arguments as JSON text in UTF-8. What cannot be written so is refused by the member's name.
  module Request
    # Deeper than any request; an end for what holds itself.
    DEEPEST = 32

    # The text of +members+, without those that are nil, and of +nullable+ ones; raises the error of +status+.
    def self.text(members, status, nullable = {})
      JSON.generate(plain(members.compact.merge(nullable), nil, status))
    end

    def self.plain(value, name, status, depth = 0)
      raise Error.for(status, "#{name}: nested too deeply") if depth > DEEPEST

      case value
      when nil, true, false, Integer then value
      when String, Symbol then utf8(value.to_s, name, status)
      when Array then value.map { |item| plain(item, name, status, depth + 1) }
      when Hash then object(value, name, status, depth)
      else raise Error.for(status, "#{name}: a #{value.class} cannot be sent")
      end
    end

    def self.object(members, name, status, depth)
      members.to_h do |key, value|
        key = plain(key.to_s, name, status)
        [key, plain(value, name || key, status, depth + 1)]
      end
    end

    # Bytes without an encoding are taken as UTF-8; other encodings are converted.
    def self.utf8(string, name, status)
      string = string.b.force_encoding(Encoding::UTF_8) if string.encoding == Encoding::BINARY
      raise EncodingError unless string.valid_encoding?

      string.encode(Encoding::UTF_8)
    rescue EncodingError
      raise Error.for(status, "#{name}: not UTF-8, and not to be converted from #{string.encoding}"), cause: nil
    end
    private_class_method :plain, :object, :utf8
  end
  private_constant :Request
end
