# frozen_string_literal: true

require_relative "library"

module Factor2
  # What is raised for every status but Ok. There is a class for each, under the status's name; a status
  # that this version does not know raises Error itself. Messages never hold a secret or a code.
  class Error < StandardError
    # The status's number, such as 203.
    attr_reader :status
    # For how many seconds no further code is looked at; nil where waiting does not help.
    attr_reader :retry_after

    # The error of a status, of the class that it has.
    def self.for(status, message = nil, retry_after = nil)
      ERRORS.fetch(status, Error).new(status, message, retry_after)
    end

    def initialize(status, message = nil, retry_after = nil)
      @status = status
      @retry_after = retry_after
      super(message || code)
    end

    # The status's name, such as "Throttled".
    def code
      Library.factor2_status_name(status)
    end

    # What a web server would answer with, such as 429.
    def http_status
      Library.factor2_status_http(status)
    end
  end

  # The code was not accepted: InvalidToken, TokenReused, Throttled and Disabled. Every other error is the
  # program's, its data's or its machine's.
  class CodeError < Error; end

  ERRORS = {
    101 => :NullPointer,
    102 => :InvalidHandle,
    103 => :RequestTooLarge,
    104 => :BadRequest,
    201 => :InvalidToken,
    202 => :TokenReused,
    203 => :Throttled,
    204 => :Disabled,
    205 => :Unauthorized,
    206 => :InvalidKey,
    207 => :DataFormat,
    208 => :InvalidSecret,
    301 => :Configuration,
    302 => :StoreUnavailable,
    901 => :UnknownError,
    902 => :OutOfMemory,
    903 => :RandomUnavailable
  }.to_h do |status, name|
    [status, const_set(name, Class.new((201..204).cover?(status) ? CodeError : Error))]
  end.freeze
  private_constant :ERRORS
end
