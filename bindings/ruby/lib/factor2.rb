# frozen_string_literal: true

# A second factor by libfactor2: start at Factor2::Authenticator.
module Factor2
end

require_relative "factor2/authenticator"
require_relative "factor2/version"
