package factor2

// #include <factor2.h>
import "C"

import "time"

// Description tells what an authenticator is and can do, under crossauth's names, and then its settings,
// defaults included.
type Description struct {
	// The library's version.
	Version                       string          `json:"version"`
	MFAType                       string          `json:"mfa_type"`
	MFAChannel                    string          `json:"mfa_channel"`
	FactorName                    string          `json:"factor_name"`
	FriendlyName                  string          `json:"friendly_name"`
	SecretNames                   []string        `json:"secret_names"`
	TransientSecretNames          []string        `json:"transient_secret_names"`
	CanCreateUser                 bool            `json:"can_create_user"`
	CanUpdateUser                 bool            `json:"can_update_user"`
	CanUpdateSecrets              bool            `json:"can_update_secrets"`
	Capabilities                  map[string]bool `json:"capabilities"`
	RequireUserEntry              bool            `json:"require_user_entry"`
	SkipEmailVerificationOnSignup bool            `json:"skip_email_verification_on_signup"`

	Issuer      string           `json:"issuer"`
	Algorithm   string           `json:"algorithm"`
	Digits      int              `json:"digits"`
	Period      time.Duration    `json:"-"`
	Window      Window           `json:"window"`
	LookAhead   int              `json:"look_ahead"`
	SecretBytes int              `json:"secret_bytes"`
	QR          QRDescription    `json:"qr"`
	Guard       GuardDescription `json:"-"`
	// nil: there are no keys.
	Seal *SealDescription `json:"seal"`
	// The zero time: the system's clock.
	FixedTime time.Time `json:"-"`
	// What authenticator apps are known to ignore or to refuse.
	Warnings []string `json:"warnings"`
}

// QRDescription tells how QR codes look.
type QRDescription struct {
	ModulePx        int    `json:"module_px"`
	QuietZone       int    `json:"quiet_zone"`
	ErrorCorrection string `json:"error_correction"`
	Dark            string `json:"dark"`
	Light           string `json:"light"`
	// Whether there is one.
	Logo bool `json:"logo"`
}

// GuardDescription tells who shares the guard's records, and when wrong codes have consequences.
type GuardDescription struct {
	Store string `json:"store"`
	// "process", "machine", "fleet" or "caller".
	Scope     string        `json:"scope"`
	Soft      int           `json:"soft"`
	Hard      int           `json:"hard"`
	BaseDelay time.Duration `json:"-"`
	MaxDelay  time.Duration `json:"-"`
	// nil: no call is answered twice.
	Retry *Retry `json:"-"`
}

// SealDescription names the keys that seal and open stored secrets.
type SealDescription struct {
	Keys []string `json:"keys"`
	// The one that seals.
	Use string `json:"use"`
	// "accept" or "refuse": secrets that are not sealed.
	Plain string `json:"plain"`
}

// Describe says what the authenticator is and can do.
func (authenticator *Authenticator) Describe() (*Description, error) {
	type plainDescription Description
	type plainGuard GuardDescription
	var response struct {
		plainDescription
		Period int64 `json:"period"`
		Guard  struct {
			plainGuard
			BaseDelay int64 `json:"base_delay_s"`
			MaxDelay  int64 `json:"max_delay_s"`
			Retry     *struct {
				TTL   int64 `json:"ttl_s"`
				Limit int   `json:"limit"`
			} `json:"retry"`
		} `json:"guard"`
		FixedTime *int64 `json:"fixed_time"`
	}
	if err := authenticator.call(C.factor2_describe, struct{}{}, &response, nil); err != nil {
		return nil, err
	}
	description := Description(response.plainDescription)
	description.Period = time.Duration(response.Period) * time.Second
	description.Guard = GuardDescription(response.Guard.plainGuard)
	description.Guard.BaseDelay = time.Duration(response.Guard.BaseDelay) * time.Second
	description.Guard.MaxDelay = time.Duration(response.Guard.MaxDelay) * time.Second
	if retry := response.Guard.Retry; retry != nil {
		description.Guard.Retry = &Retry{time.Duration(retry.TTL) * time.Second, retry.Limit}
	}
	if response.FixedTime != nil {
		description.FixedTime = time.Unix(*response.FixedTime, 0)
	}
	return &description, nil
}
