package factor2

// #include <factor2.h>
import "C"

import "time"

// SecretRequest names a stored secret, for operations that need nothing else.
type SecretRequest struct {
	// The secret: base32, an otpauth URI, or either of them sealed.
	TOTPSecret string `json:"totpsecret"`
	// What a sealed secret is bound to: the user's name, or Bind in its place, which survives a rename.
	Username string `json:"username,omitempty"`
	Bind     string `json:"bind,omitempty"`
}

// Sealed is a secret that is encrypted by one of the keys.
type Sealed struct {
	// What to store in the place of the secret.
	Sealed string `json:"sealed"`
	// The name of the key.
	Key      string   `json:"key"`
	Warnings []string `json:"warnings"`
}

// Seal seals a secret by the key in use, or anew if another key sealed it. Username or Bind is required.
//
// It fails with [ErrConfiguration] (there are no keys), [ErrInvalidSecret], [ErrRandomUnavailable],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Seal(request SecretRequest) (*Sealed, error) {
	var sealed Sealed
	if err := authenticator.call(C.factor2_seal, request, &sealed, nil); err != nil {
		return nil, err
	}
	return &sealed, nil
}

// Code is the current code of a secret.
type Code struct {
	OTP string
	// For how long it stays the current one; 0 with TypeHOTP.
	ValidFor time.Duration
	// With TypeHOTP, the URI's counter, whatever the guard has accepted; else nil.
	Counter  *int64
	Warnings []string
}

// Generate computes the current code of a secret, as an authenticator app does: for clients and for tests.
// A server has no use for it.
//
// It fails with [ErrInvalidSecret], [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Generate(request SecretRequest) (*Code, error) {
	var response struct {
		OTP      string   `json:"otp"`
		ValidFor int64    `json:"valid_for_s"`
		Counter  *int64   `json:"counter"`
		Warnings []string `json:"warnings"`
	}
	if err := authenticator.call(C.factor2_generate, request, &response, nil); err != nil {
		return nil, err
	}
	validFor := time.Duration(response.ValidFor) * time.Second
	return &Code{response.OTP, validFor, response.Counter, response.Warnings}, nil
}
