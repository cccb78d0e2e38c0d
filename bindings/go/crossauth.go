package factor2

// #include <factor2.h>
import "C"

// UserData is what to show to the user who enrolls.
type UserData struct {
	// Empty from [Authenticator.ReprepareConfiguration].
	Username   string `json:"username,omitempty"`
	TOTPSecret string `json:"totpsecret"`
	// The FactorName of the settings, or the one that the session has.
	Factor2 string `json:"factor2"`
	// The picture as data:image/png;base64,..., ready for <img src>.
	QR string `json:"qr"`
	// The otpauth provisioning URI.
	URI string `json:"uri"`
}

// SessionData is what to keep in the session, as JSON, until the user has typed a right code.
type SessionData struct {
	Username   string `json:"username"`
	TOTPSecret string `json:"totpsecret"`
	Factor2    string `json:"factor2"`
}

// Configuration is a new enrollment, as crossauth's prepare_configuration gives it.
type Configuration struct {
	UserData    UserData    `json:"userData"`
	SessionData SessionData `json:"sessionData"`
	// What is doubtful about the user's name.
	Warnings []string `json:"warnings"`
}

// PrepareConfiguration is crossauth's prepare_configuration: it makes a secret, and sorts it into what to
// show and what to keep in the session until the user has typed a right code.
//
// It fails with [ErrConfiguration] (no FactorName was set), [ErrBadRequest], [ErrRandomUnavailable] or
// [ErrRequestTooLarge].
func (authenticator *Authenticator) PrepareConfiguration(username string) (*Configuration, error) {
	var request struct {
		User struct {
			Username string `json:"username"`
		} `json:"user"`
	}
	request.User.Username = username
	var configuration Configuration
	if err := authenticator.call(C.factor2_prepare_configuration, request, &configuration, nil); err != nil {
		return nil, err
	}
	return &configuration, nil
}

// Reconfiguration is an enrollment that a session holds, as crossauth's reprepare_configuration gives it.
type Reconfiguration struct {
	UserData UserData `json:"userData"`
	Secrets  Secrets  `json:"secrets"`
	// What to keep in the session instead; nil to keep what is there.
	NewSessionData *SessionData `json:"newSessionData"`
	Warnings       []string     `json:"warnings"`
}

// Secrets are the secrets of an enrollment.
type Secrets struct {
	TOTPSecret string `json:"totpsecret"`
}

// ReprepareConfiguration is crossauth's reprepare_configuration: it shows an enrollment again whose page was
// closed too early. The session's data is its JSON text, with the members of [SessionData] at its top level
// or under "2fa"; its other members are ignored.
//
// It fails with [ErrInvalidKey] (no data), [ErrDataFormat] (it is no JSON that could hold any),
// [ErrUnauthorized] (no totpsecret or no factor2 in it), [ErrInvalidSecret], [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) ReprepareConfiguration(username, sessionData string) (*Reconfiguration, error) {
	var request struct {
		Username   string `json:"username"`
		SessionKey struct {
			Data string `json:"data,omitempty"`
		} `json:"sessionKey"`
	}
	request.Username = username
	request.SessionKey.Data = sessionData
	var reconfiguration Reconfiguration
	if err := authenticator.call(C.factor2_reprepare_configuration, request, &reconfiguration, nil); err != nil {
		return nil, err
	}
	return &reconfiguration, nil
}
