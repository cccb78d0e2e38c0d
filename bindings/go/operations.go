package factor2

// #include <factor2.h>
import "C"

import (
	"time"
	"unsafe"
)

// CreateSecretRequest is what [Authenticator.CreateSecret] needs.
type CreateSecretRequest struct {
	// The account's name as the app shows it. For a new secret 1 to 255 bytes and nothing that cannot be
	// seen. Blanks around it are dropped.
	Username string `json:"username,omitempty"`
	// A secret to be used again, base32 of 10 to 512 bytes. Without it a new one is made.
	TOTPSecret string `json:"totpsecret,omitempty"`
}

// Secret is a secret with the QR code that brings it into an authenticator app.
type Secret struct {
	Username string `json:"username"`
	// Base32 in capitals without padding: store it, encrypted if you can.
	TOTPSecret string `json:"totpsecret"`
	// The otpauth provisioning URI.
	URI string `json:"uri"`
	// The picture as data:image/png;base64,..., ready for <img src>.
	QR string `json:"qr"`
	// The picture as a PNG file's bytes.
	PNG []byte `json:"-"`
	// What is doubtful about a secret that was given, about the name, or about the settings.
	Warnings []string `json:"warnings"`
}

// CreateSecret makes a secret for a user, with its QR code. The enrollment counts only once the user has
// typed a right code: call [Authenticator.Verify] then.
//
// It fails with [ErrBadRequest], [ErrInvalidSecret], [ErrRandomUnavailable] or [ErrRequestTooLarge].
func (authenticator *Authenticator) CreateSecret(request CreateSecretRequest) (*Secret, error) {
	var secret Secret
	if err := authenticator.call(C.factor2_create_secret, request, &secret, &secret.PNG); err != nil {
		return nil, err
	}
	return &secret, nil
}

// The formats of pictures.
const (
	FormatPNG  = "png"
	FormatSVG  = "svg"
	FormatText = "text" // Unicode block elements, in UTF-8, for a terminal that writes light on dark
)

// QRRequest is what [Authenticator.QR] needs.
type QRRequest struct {
	// As for [CreateSecretRequest].
	Username string `json:"username,omitempty"`
	// The secret: base32 of 10 to 512 bytes.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// FormatPNG, which is the default, FormatSVG or FormatText.
	Format string `json:"format,omitempty"`
}

// Picture is the QR code of a secret.
type Picture struct {
	// The otpauth provisioning URI.
	URI string `json:"uri"`
	// FormatPNG, FormatSVG or FormatText.
	Format string `json:"format"`
	// What an HTTP server says with Data, such as "image/png".
	MediaType string `json:"media_type"`
	// Size in pixels, or of FormatText in characters.
	Width  int `json:"width"`
	Height int `json:"height"`
	// The picture: a file's bytes.
	Data     []byte   `json:"-"`
	Warnings []string `json:"warnings"`
}

// QR draws the QR code of a secret that exists.
//
// It fails with [ErrBadRequest], [ErrInvalidSecret] or [ErrRequestTooLarge].
func (authenticator *Authenticator) QR(request QRRequest) (*Picture, error) {
	var picture Picture
	if err := authenticator.call(C.factor2_qr, request, &picture, &picture.Data); err != nil {
		return nil, err
	}
	return &picture, nil
}

// VerifyRequest is what [Authenticator.Verify] needs.
type VerifyRequest struct {
	// The user's stored secret.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// What the user typed. Blanks and dashes in it are dropped.
	OTP string `json:"otp,omitempty"`
	// Any text; ignored.
	Username string `json:"username,omitempty"`
	// The Step of the last accepted code, nil or -1 if there was none: for the guard StoreNone, where you keep
	// it; respected with the others as well.
	LastStep *int64 `json:"last_step,omitempty"`
}

// Verification tells which code was accepted.
type Verification struct {
	// The number of its time step. With the guard StoreNone, store it before you let the user in, by one
	// statement that only ever raises it and whose count of changed rows you check.
	Step int64 `json:"step"`
	// How many steps that is after (or, below 0, before) the current one.
	Drift    int      `json:"drift"`
	Warnings []string `json:"warnings"`
}

// Verify checks a code. The error is nil only for an accepted code.
//
// It fails with [ErrInvalidToken] (with RetryAfter when the code locked the credential), [ErrTokenReused],
// [ErrThrottled] (with RetryAfter), [ErrDisabled], [ErrStoreUnavailable], [ErrInvalidSecret],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Verify(request VerifyRequest) (*Verification, error) {
	var verification Verification
	if err := authenticator.call(C.factor2_verify, request, &verification, nil); err != nil {
		return nil, err
	}
	return &verification, nil
}

// Record is what the guard remembers of a credential.
type Record struct {
	// The highest accepted step; nil when there is none.
	LastStep *int64
	// Wrong codes in a row.
	Failures int
	// Until when no code is looked at; the zero time when it was not locked.
	LockedUntil time.Time
	// Whether the hard limit of wrong codes was reached.
	Disabled bool
}

// Inspect shows what the guard remembers of a secret's credential, and changes nothing. A credential that
// was never tried looks like a new one.
//
// It fails with [ErrConfiguration] (the guard is StoreNone), [ErrStoreUnavailable], [ErrInvalidSecret],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Inspect(totpsecret string) (*Record, error) {
	return authenticator.record(C.factor2_inspect, totpsecret)
}

// Reset forgets the wrong codes of a secret's credential: failures, lock and disabled. For an
// administrator, once the user's identity was checked in another way. No code works a second time after
// it. It gives the record after the reset, and fails as [Authenticator.Inspect] does.
func (authenticator *Authenticator) Reset(totpsecret string) (*Record, error) {
	return authenticator.record(C.factor2_reset, totpsecret)
}

func (authenticator *Authenticator) record(operation unsafe.Pointer, totpsecret string) (*Record, error) {
	var response struct {
		LastStep    *int64 `json:"last_step"`
		Failures    int    `json:"failures"`
		LockedUntil int64  `json:"locked_until"`
		Disabled    bool   `json:"disabled"`
	}
	if err := authenticator.call(operation, secretRequest{totpsecret}, &response, nil); err != nil {
		return nil, err
	}
	record := &Record{LastStep: response.LastStep, Failures: response.Failures, Disabled: response.Disabled}
	if response.LockedUntil != 0 {
		record.LockedUntil = time.Unix(response.LockedUntil, 0)
	}
	return record, nil
}

// Code is the current code of a secret.
type Code struct {
	OTP string
	// For how long it stays the current one.
	ValidFor time.Duration
	Warnings []string
}

// Generate computes the current code of a secret, as an authenticator app does: for clients and for tests.
// A server has no use for it.
//
// It fails with [ErrInvalidSecret], [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Generate(totpsecret string) (*Code, error) {
	var response struct {
		OTP      string   `json:"otp"`
		ValidFor int64    `json:"valid_for_s"`
		Warnings []string `json:"warnings"`
	}
	if err := authenticator.call(C.factor2_generate, secretRequest{totpsecret}, &response, nil); err != nil {
		return nil, err
	}
	return &Code{response.OTP, time.Duration(response.ValidFor) * time.Second, response.Warnings}, nil
}

// The request of an operation that needs nothing but a secret.
type secretRequest struct {
	TOTPSecret string `json:"totpsecret"`
}
