# frozen_string_literal: true

require "ffi"

module Factor2
  # The C functions, each documented in factor2.h. For the gem's own use, but for Library.version.
  #
  # The system's loader finds libfactor2.so.0; FACTOR2_LIBRARY in the environment names another file.
  module Library
    extend FFI::Library

    ffi_lib ENV.fetch("FACTOR2_LIBRARY", "libfactor2.so.0")

    # A call that draws a picture, reads many users or may wait for the guard's store lets other Ruby threads run meanwhile.
    # That costs a microsecond, and then a wait for the interpreter's lock if other threads want it. The
    # other calls are over sooner.
    { describe: false, generate: false, seal: false, create_recovery_codes: false, create_secret: true, qr: true,
      prepare_configuration: true, reprepare_configuration: true, verify: true, verify_recovery_code: true,
      resync: true, diagnose: true, inspect: true, reset: true, import: true, read_uri: false }.each do |operation, blocking|
      attach_function :"factor2_#{operation}", %i[pointer buffer_in size_t pointer], :int, blocking:
    end
    attach_function :factor2_authenticator_new, %i[buffer_in size_t pointer pointer], :int, blocking: true

    # Keeps the interpreter's lock, because the garbage collector calls it.
    attach_function :factor2_authenticator_free, [:pointer], :void
    attach_function :factor2_response_json, %i[pointer pointer], :pointer
    attach_function :factor2_response_data, %i[pointer pointer], :pointer
    attach_function :factor2_response_free, [:pointer], :void
    attach_function :factor2_status_name, [:int], :string
    attach_function :factor2_status_http, [:int], :int
    attach_function :factor2_version, [], :string

    # The library's version, such as "0.1.0".
    def self.version
      factor2_version
    end
  rescue LoadError => e
    # Without a cause, because Ruby would print that last: RubyGems' own search for this file.
    raise LoadError, "#{e.message.chomp}. The gem factor2 needs the C library: install it (make && sudo make " \
                     "install && sudo ldconfig), or set FACTOR2_LIBRARY to the path of libfactor2.so.0; it is " \
                     "#{ENV['FACTOR2_LIBRARY']&.inspect || 'not set'} now.", cause: nil
  end
end
