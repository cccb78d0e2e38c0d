# frozen_string_literal: true

require_relative "call"
require_relative "handle"
require_relative "request"
require_relative "response"

module Factor2
  # Settings and guard of one second factor. Make one at start, and share it between threads; after a fork
  # the child may go on using it, but for the guard's store "memory".
  #
  # factor2.h documents the settings and operations; here they have the same names. An argument that is nil
  # is not sent. Every method may raise BadRequest, RequestTooLarge or InvalidHandle (it was closed).
  class Authenticator
    # Makes an authenticator. Only +issuer+ is needed. +window+, +qr+, +guard+ and +seal+ are hashes, with the
    # members that factor2.h names: <tt>guard: { store: "sqlite", path: "/var/lib/app/factor2.db" }</tt>.
    #
    # Raises Configuration, StoreUnavailable.
    def initialize(issuer: nil, factor_name: nil, friendly_name: nil, algorithm: nil, digits: nil, period: nil,
                   window: nil, look_ahead: nil, secret_bytes: nil, qr: nil, guard: nil, seal: nil, fixed_time: nil)
      config = Request.text({ issuer:, factor_name:, friendly_name:,
                              algorithm:, digits:, period:, window:, look_ahead:,
                              secret_bytes:, qr:, guard:, seal:, fixed_time: },
                            CONFIGURATION)
      @handle = Handle.uninterrupted { Handle.new(make(config)) }
      @remembers = describe.guard["store"] != "none"
    end

    # Makes a secret for a user, or takes the one that is given, and draws its QR code: a Secret. +type+ is "totp",
    # which is the default, or "hotp", whose codes belong to a counter: store its +uri+ then, without keys.
    #
    # Raises InvalidSecret, RandomUnavailable.
    def create_secret(username:, totpsecret: nil, type: nil, bind: nil)
      Secret.new(*call(:create_secret, username:, totpsecret:, type:, bind:))
    end

    # Draws the QR code of a secret that exists: a Picture. +format+ is "png", which is the default, "svg",
    # or "text" for a terminal.
    #
    # Raises InvalidSecret.
    def qr(username:, totpsecret:, format: nil, type: nil, bind: nil)
      Picture.new(*call(:qr, username:, totpsecret:, format:, type:, bind:))
    end

    # Seals a secret by the key in use for a user, whom +username+ names or +bind+: a Sealed.
    #
    # Raises InvalidSecret, RandomUnavailable, Configuration if the settings have no +seal+.
    def seal(totpsecret:, username: nil, bind: nil)
      Sealed.new(*call(:seal, totpsecret:, username:, bind:))
    end

    # Reads what another system left behind, in one of the formats of factor2.h: an Imported. +username+ is for the
    # format "google-authenticator" alone.
    #
    # Raises DataFormat, RandomUnavailable.
    def import(format:, text:, username: nil)
      Imported.new(*call(:import, format:, text:, username:))
    end

    # What an otpauth URI says that was written elsewhere: an OtpauthURI. The URI itself can be stored as a secret.
    #
    # Raises InvalidSecret, whose message says what is wrong.
    def read_uri(uri:)
      OtpauthURI.new(*call(:read_uri, uri:))
    end

    # crossauth's prepare_configuration: a PreparedConfiguration. +user+ is a hash with a +username+.
    #
    # Raises Configuration if the settings have no +factor_name+.
    def prepare_configuration(user:)
      PreparedConfiguration.new(*call(:prepare_configuration, user:))
    end

    # crossauth's reprepare_configuration: a RepreparedConfiguration. +session_key+ is a hash with +data+.
    #
    # Raises InvalidKey, DataFormat, Unauthorized, InvalidSecret.
    def reprepare_configuration(username:, session_key:)
      RepreparedConfiguration.new(*call(:reprepare_configuration, username:, sessionKey: session_key))
    end

    # Verifies a code. Returns a Verification for an accepted code, and raises for everything else: for a
    # code that is not accepted a CodeError (InvalidToken, TokenReused, Throttled, Disabled), else
    # StoreUnavailable or InvalidSecret.
    #
    # With <tt>guard: { store: "none" }</tt> pass the +last_step+ (nil or -1 if there is none), and store the
    # +last_step+ of what is returned.
    #
    # +totpsecret+ is the stored secret, or an array of those of a user who has several authenticators
    # (+last_step+ and +drift+ then as well), or nil for a user who has none: that is never accepted, and time does not tell.
    # A sealed secret opens with the +username+ or +bind+ that it was sealed for. +drift+ is how many steps a hardware
    # token's clock is ahead or, below 0, behind, as resync has found.
    #
    # With <tt>guard: { retry: {} }</tt>, +retry_key+ tells this session from all others: with that of the call that was
    # accepted last, its answer is repeated. The server makes it, and no user may choose it.
    def verify(totpsecret:, otp:, username: nil, bind: nil, last_step: nil, drift: nil, retry_key: nil)
      Verification.new(*call(:verify, otp:, username:, bind:, last_step:, drift:, retry_key:,
                             nullable: { totpsecret: }))
    end

    # Whether a code is accepted, which uses it up: false where +verify+ raises a CodeError. Raises all else as
    # +verify+ does, and Configuration with <tt>guard: { store: "none" }</tt>, where the +step+ is needed.
    def verify?(totpsecret:, otp:, username: nil, bind: nil, drift: nil)
      raise Error.for(CONFIGURATION, "verify? needs a guard that remembers; use verify") unless @remembers

      verify(totpsecret:, otp:, username:, bind:, drift:)
      true
    rescue CodeError
      false
    end

    # Finds a hardware token again whose counter or clock has run away from the server's, by two codes in a row, of
    # which +next_otp+ is the one that it shows now: a Verification. Both are used up, and a wrong pair counts as one
    # wrong code. Store its +drift+ with the user, and pass it to verify from then on; the guard remembers a counter.
    #
    # Raises as verify does.
    def resync(totpsecret:, otp:, next_otp:, username: nil, bind: nil, last_step: nil)
      Verification.new(*call(:resync, totpsecret:, otp:, next_otp:, username:, bind:, last_step:))
    end

    # Tells the help desk why a code is refused, never the user who logs in, who may be somebody else: a Diagnosis. It
    # accepts, counts and changes nothing, and that it returns is no verdict. +otp+ may have 6 to 8 digits. With
    # +next_otp+, the code after that, more is searched, and chance is ruled out.
    #
    # Raises InvalidToken for what is no code, InvalidSecret, StoreUnavailable.
    def diagnose(totpsecret:, otp:, next_otp: nil, username: nil, bind: nil, last_step: nil, drift: nil)
      Diagnosis.new(*call(:diagnose, totpsecret:, otp:, next_otp:, username:, bind:, last_step:, drift:))
    end

    # Makes a set of recovery codes, 10 if +count+ is not given: a RecoveryCodes. A new set takes the place of
    # the old one.
    #
    # Raises RandomUnavailable.
    def create_recovery_codes(count: nil)
      RecoveryCodes.new(*call(:create_recovery_codes, count:))
    end

    # Verifies a recovery code, and uses it up: a RecoveryVerification. Raises as verify does, and DataFormat.
    # +recovery+ is the stored text, or nil for a user who has none. +number+ demands the code with this number.
    #
    # With <tt>guard: { store: "none" }</tt> pass the numbers of the +used+ codes, and store the +number+ of what is
    # returned.
    def verify_recovery_code(recovery:, code:, number: nil, used: nil)
      RecoveryVerification.new(*call(:verify_recovery_code, code:, number:, used:, nullable: { recovery: }))
    end

    # What the guard remembers of a credential, by +totpsecret+, or of a set of recovery codes, by +recovery+: a
    # Record. It is factor2_inspect, whose name Ruby needs itself.
    #
    # Raises StoreUnavailable, InvalidSecret, DataFormat, Configuration if the guard's store is "none".
    def inspect_record(totpsecret: nil, username: nil, bind: nil, recovery: nil)
      Record.new(*call(:inspect, totpsecret:, username:, bind:, recovery:))
    end

    # Forgets the wrong codes of a credential, or of a set of recovery codes, once the user's identity was checked in another way; gives
    # the Record after that. No code works a second time after it.
    #
    # Raises as inspect_record does.
    def reset(totpsecret: nil, username: nil, bind: nil, recovery: nil)
      Record.new(*call(:reset, totpsecret:, username:, bind:, recovery:))
    end

    # The current code of a secret, or that of a URI's counter, for clients and tests: a Code.
    #
    # Raises InvalidSecret.
    def generate(totpsecret:, username: nil, bind: nil)
      Code.new(*call(:generate, totpsecret:, username:, bind:))
    end

    # What the authenticator is and can do, and its settings: a Description.
    def describe
      Description.new(*call(:describe))
    end

    # Closes it now instead of when it is collected. May be called again, and while other threads call:
    # their calls end as usual. Whatever is called after it raises InvalidHandle.
    def close
      @handle.close
      nil
    end

    # Whether it was closed.
    def closed?
      @handle.closed?
    end

    def inspect
      "#<#{self.class}#{' closed' if closed?}>"
    end
    alias to_s inspect

    BAD_REQUEST = 104
    CONFIGURATION = 301
    private_constant :BAD_REQUEST, :CONFIGURATION

    private

    def make(config)
      place = FFI::MemoryPointer.new(:pointer)
      Call.take do |response|
        Library.factor2_authenticator_new(config, config.bytesize, place, response)
      end
      place.read_pointer
    end

    # A member that is nil is not sent, unless it is +nullable+.
    def call(operation, nullable: {}, **members)
      request = Request.text(members, BAD_REQUEST, nullable)
      @handle.use do |pointer|
        Call.take do |response|
          Library.public_send(:"factor2_#{operation}", pointer, request, request.bytesize, response)
        end
      end
    end
  end
end
