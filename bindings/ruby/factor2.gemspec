# frozen_string_literal: true

require_relative "lib/factor2/version"

Gem::Specification.new do |gem|
  gem.name = "factor2"
  gem.version = Factor2::VERSION
  gem.summary = "A second factor: TOTP secrets, QR codes, codes accepted once, guessing throttled"
  gem.description = "Ruby's way to the C library libfactor2, which has to be installed."
  gem.authors = ["the factor2 developers"]
  gem.licenses = ["MIT", "Apache-2.0"]
  gem.required_ruby_version = ">= 3.1"
  gem.add_dependency "ffi", "~> 1.15"
  gem.files = Dir.glob(["README.md", "lib/**/*.rb"], base: __dir__)
  gem.metadata["rubygems_mfa_required"] = "true"
end
