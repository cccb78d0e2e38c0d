package factor2

// #include <factor2.h>
import "C"

import "time"

// Formats that [Authenticator.Import] reads.
const (
	// otpauth URIs, one a line.
	FormatOtpauth = "otpauth"
	// What Google's app shows as QR codes to move accounts, a URI a line.
	FormatOtpauthMigration = "otpauth-migration"
	// The users file of liboath and mod_authn_otp.
	FormatUsersFile = "users-file"
	// The state file of one user of pam_google_authenticator.
	FormatGoogleAuthenticator = "google-authenticator"
	// privacyIDEA's OATH CSV.
	FormatPrivacyIDEA = "privacyidea-csv"
	// Microsoft Entra's hardware tokens.
	FormatEntra = "entra-csv"
	// An export of Keycloak's realms or users.
	FormatKeycloak = "keycloak"
)

// ImportRequest is what [Authenticator.Import] needs.
type ImportRequest struct {
	Format string `json:"format"`
	// At most 16 MiB with all escapes that JSON needs.
	Text string `json:"text"`
	// Whose file it is: for FormatGoogleAuthenticator, and for no other.
	Username string `json:"username,omitempty"`
}

// Imported is what another system left behind.
type Imported struct {
	Entries []ImportedEntry `json:"entries"`
	Refused []RefusedEntry  `json:"refused"`
}

// ImportedEntry is one credential.
type ImportedEntry struct {
	// Empty if the text does not say whose it is.
	Username string `json:"username"`
	Issuer   string `json:"issuer"`
	// An otpauth URI.
	TOTPSecret string `json:"totpsecret"`
	// With [Config].Seal, what to store; else empty, and for an entry without a name.
	Sealed   string   `json:"sealed"`
	Warnings []string `json:"warnings"`
}

// RefusedEntry is what could not be taken over.
type RefusedEntry struct {
	// The number of the line, from 1, or of the credential where there are no lines.
	Line int `json:"line"`
	// What is wrong. It never quotes the text.
	Why string `json:"why"`
}

// Import reads what another system left behind. A line that cannot be taken over is told, and never keeps back
// the others.
//
// It fails with [ErrDataFormat] (nothing of the text can be read), [ErrRandomUnavailable], [ErrBadRequest] or
// [ErrRequestTooLarge].
func (authenticator *Authenticator) Import(request ImportRequest) (*Imported, error) {
	var imported Imported
	if err := authenticator.call(C.factor2_import, request, &imported, nil); err != nil {
		return nil, err
	}
	return &imported, nil
}

// URI is what an otpauth URI says.
type URI struct {
	// TypeTOTP or TypeHOTP.
	Type   string `json:"type"`
	Issuer string `json:"issuer"`
	// The label's, if the parameter names another; else empty.
	LabelIssuer string `json:"label_issuer"`
	Account     string `json:"account"`
	// Base32 in capitals without padding.
	TOTPSecret string `json:"totpsecret"`
	Algorithm  string `json:"algorithm"`
	Digits     int    `json:"digits"`
	// 0 with TypeHOTP.
	Period time.Duration `json:"-"`
	// With TypeHOTP, the counter that comes next; else nil.
	Counter *int64 `json:"counter"`
	// What was mended, and what apps may take for something else.
	Warnings []string `json:"warnings"`
}

// ReadURI tells what an otpauth URI says that was written elsewhere. The URI itself can be stored as a secret.
//
// It fails with [ErrInvalidSecret] (the message says what is wrong), [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) ReadURI(uri string) (*URI, error) {
	request := struct {
		URI string `json:"uri"`
	}{uri}
	type plain URI
	var response struct {
		plain
		Period int64 `json:"period"`
	}
	if err := authenticator.call(C.factor2_read_uri, request, &response, nil); err != nil {
		return nil, err
	}
	read := URI(response.plain)
	read.Period = time.Duration(response.Period) * time.Second
	return &read, nil
}
