# frozen_string_literal: true

module Factor2
  # An operation's response: frozen, with a method for each member that factor2.h documents, in Ruby's
  # spelling (+userData+ is +user_data+). A member that is not there is nil. +inspect+ shows no secret.
  class Response
    # The JSON as it came, under the names of factor2.h, with members that this version does not know.
    attr_reader :to_h
    # The bytes beside the JSON: a picture, frozen; nil if there are none.
    attr_reader :data

    class << self
      # Defines the methods for members. What is not +shown+ may hold a secret; +of+ is the members' own class, or that
      # of what is in their arrays.
      def members(*names, shown: true, of: nil)
        self.shown += names if shown
        names.each do |name|
          define_method(name.gsub(/[A-Z]/) { |letter| "_#{letter.downcase}" }) do
            of ? of.made(to_h[name]) : to_h[name]
          end
        end
      end

      # A response of this class, or an array of them.
      def made(json)
        json.is_a?(Array) ? json.map { |item| new(item) }.freeze : new(json)
      end

      attr_writer :shown

      # The names of the members that +inspect+ may show.
      def shown
        @shown ||= []
      end
    end

    def initialize(json, data = nil)
      @to_h = json
      @data = data&.freeze
      freeze
    end

    # A member by its name in factor2.h.
    def [](name)
      to_h[name.to_s]
    end

    def ==(other)
      other.class == self.class && other.to_h == to_h
    end
    alias eql? ==

    def hash
      to_h.hash
    end

    def inspect
      shown = to_h.slice(*self.class.shown).map { |name, value| " #{name}=#{value.inspect}" }
      "#<#{self.class}#{shown.join(',')}>"
    end
    alias to_s inspect
  end

  # What create_secret made: +png+ is the picture, +qr+ the same as a data URI, ready for <img src>. With keys,
  # +sealed+ is what to store.
  class Secret < Response
    members "username", "sealed", "warnings"
    members "totpsecret", "uri", "qr", shown: false
    alias png data
  end

  # What qr drew: the picture is +data+, a binary String, or of the formats "svg" and "text" a text in UTF-8.
  # Width and height are in pixels, or in characters.
  class Picture < Response
    members "format", "media_type", "width", "height", "bytes", "warnings"
    members "uri", shown: false

    def initialize(json, data)
      super(json, json["format"] == "png" ? data : data.force_encoding(Encoding::UTF_8))
    end
  end

  # What an otpauth URI says. +label_issuer+ is there if label and parameter name two issuers, +period+ or +counter+
  # as it is of type "totp" or "hotp". +warnings+ tell what was mended, and what apps may take for something else.
  class OtpauthURI < Response
    members "type", "issuer", "label_issuer", "account", "algorithm", "digits", "period", "counter", "warnings"
    members "totpsecret", shown: false
  end

  # What to show to the user who enrolls.
  class UserData < Response
    members "username", "factor2"
    members "totpsecret", "uri", "qr", shown: false
  end

  # What to keep in the session until the user has typed a right code: its +to_h+.
  class SessionData < Response
    members "username", "factor2"
    members "totpsecret", shown: false
  end

  # The secrets that a factor keeps of a user.
  class Secrets < Response
    members "totpsecret", shown: false
  end

  # What prepare_configuration gives.
  class PreparedConfiguration < Response
    members "userData", of: UserData, shown: false
    members "sessionData", of: SessionData, shown: false
    members "warnings"
  end

  # What reprepare_configuration gives.
  class RepreparedConfiguration < Response
    members "userData", of: UserData, shown: false
    members "secrets", of: Secrets, shown: false
    members "newSessionData", shown: false
    members "warnings"
  end

  # What seal gives: +sealed+ is to be stored in the place of the secret, +key+ the name of the key.
  class Sealed < Response
    members "sealed", "key", "warnings"
  end

  # What import gives: +entries+ are hashes with what to store, +refused+ says which lines could not be taken over.
  class Imported < Response
    members "entries", shown: false
    members "refused"
  end

  # An accepted code: +step+ is its time step, +drift+ how many steps it is off the current one; or +counter+ is its
  # counter. Of several secrets, +index+ is the place of the one whose code it was. If +reseal+ is true, call seal; if
  # +repeated+ is, this is the answer of an earlier call.
  class Verification < Response
    members "accepted", "step", "drift", "counter", "index", "reseal", "repeated", "warnings"

    # What to pass as +last_step+ from then on: +counter+, or +step+.
    def last_step
      counter || step
    end
  end

  # One thing that is wrong. +what+ tells which members it has:
  #
  # "used":: +step+ or +counter+: it, or a later one, was accepted before
  # "clock":: +drift+ steps, +drift_s+ seconds, the authenticator is ahead of the server or, below 0, behind
  # "counter":: +ahead+ of the expected counter; see resync
  # "algorithm", "digits", "period":: the same name: what the authenticator has instead
  # "locked":: +retry_after_s+ seconds no code is looked at
  # "disabled":: no code is looked at until reset or a new secret
  #
  # Each but the last two has +chance+, the probability that a code which is wrong altogether gives such a finding.
  class Finding < Response
    members "what", "step", "counter", "drift", "drift_s", "ahead", "algorithm", "digits", "period",
            "retry_after_s", "chance"
  end

  # What diagnose found: +right+ is true for a code that is right and was not used, +findings+ is an array.
  class Diagnosis < Response
    members "right", "warnings"
    members "findings", of: Finding
  end

  # A set of recovery codes: +codes+ are to be shown once, +recovery+ is to be stored.
  class RecoveryCodes < Response
    members "codes", "recovery", shown: false
  end

  # An accepted recovery code: its +number+, and how many are left.
  class RecoveryVerification < Response
    members "accepted", "number", "remaining"
  end

  # What the guard remembers of a credential, or of a set of recovery codes: +used+ and +remaining+ are the
  # set's, +last_step+ is the credential's.
  class Record < Response
    members "last_step", "used", "remaining", "failures", "locked_until", "disabled"
  end

  # The current code of a secret, and for how many seconds it is that; or that of its +counter+.
  class Code < Response
    members "valid_for_s", "counter", "warnings"
    members "otp", shown: false
  end

  # What an authenticator is and can do, and its settings.
  class Description < Response
    members "version", "mfa_type", "mfa_channel", "factor_name", "friendly_name", "secret_names",
            "transient_secret_names", "create_one_time_secrets", "validate_secrets", "can_create_user",
            "can_update_user", "can_update_secrets", "capabilities", "require_user_entry",
            "skip_email_verification_on_signup", "issuer", "algorithm", "digits", "period", "window", "look_ahead",
            "secret_bytes", "qr", "guard", "seal", "fixed_time", "warnings"
  end
end
