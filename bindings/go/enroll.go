package factor2

// #include <factor2.h>
import "C"

// The types of secrets.
const (
	TypeTOTP = "totp" // codes of time
	TypeHOTP = "hotp" // codes of a counter (RFC 4226), as hardware tokens with a button show them
)

// CreateSecretRequest is what [Authenticator.CreateSecret] needs.
type CreateSecretRequest struct {
	// The account's name as the app shows it. For a new secret 1 to 255 bytes and nothing that cannot be
	// seen. Blanks around it are dropped.
	Username string `json:"username,omitempty"`
	// A secret to be used again, in any stored form. Without it a new one is made.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// TypeTOTP, which is the default, or TypeHOTP. A URI that is given has its own.
	Type string `json:"type,omitempty"`
	// What a sealed secret is bound to in the place of Username.
	Bind string `json:"bind,omitempty"`
}

// Secret is a secret with the QR code that brings it into an authenticator app.
type Secret struct {
	Username string `json:"username"`
	// Base32 in capitals without padding, for the user who cannot scan. Without keys, store it; of TypeHOTP, store URI.
	TOTPSecret string `json:"totpsecret"`
	// With [Config].Seal, what to store; else empty.
	Sealed string `json:"sealed"`
	// The otpauth provisioning URI. Of TypeHOTP it has the counter that comes next.
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
	// The secret, in any stored form.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// As for [CreateSecretRequest].
	Type string `json:"type,omitempty"`
	// What a sealed secret is bound to in the place of Username.
	Bind string `json:"bind,omitempty"`
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
