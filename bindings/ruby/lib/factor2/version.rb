# frozen_string_literal: true

module Factor2
  # The gem's version, which is that of the library it was written for. +Library.version+ is the one that runs.
  VERSION = "0.1.0"
end
