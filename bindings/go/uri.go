package factor2

// #include <factor2.h>
import "C"

// The types of an otpauth URI.
const (
	TypeTOTP = "totp" // codes of time steps
	TypeHOTP = "hotp" // codes of a counter
)

// URI is what an otpauth URI says.
type URI struct {
	// TypeTOTP or TypeHOTP.
	Type   string `json:"type"`
	Issuer string `json:"issuer"`
	// The label's issuer, if the parameter names another one.
	LabelIssuer string `json:"label_issuer"`
	Account     string `json:"account"`
	// Base32 in capitals without padding.
	TOTPSecret string `json:"totpsecret"`
	Algorithm  string `json:"algorithm"`
	Digits     int    `json:"digits"`
	// In seconds, of TypeTOTP.
	Period int `json:"period"`
	// Of TypeHOTP.
	Counter *int64 `json:"counter"`
	// What was mended, and what apps may take for something else.
	Warnings []string `json:"warnings"`
}

// ReadURI reads an otpauth URI. The URI itself can be stored as a TOTPSecret.
//
// It fails with [ErrInvalidSecret], [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) ReadURI(uri string) (*URI, error) {
	request := struct {
		URI string `json:"uri"`
	}{uri}
	var read URI
	if err := authenticator.call(C.factor2_read_uri, request, &read, nil); err != nil {
		return nil, err
	}
	return &read, nil
}
