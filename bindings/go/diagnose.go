package factor2

// #include <factor2.h>
import "C"

// DiagnoseRequest is what [Authenticator.Diagnose] needs.
type DiagnoseRequest struct {
	// The stored secret, in any form.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// The code that was refused: 6 to 8 digits, whatever the settings say.
	OTP string `json:"otp,omitempty"`
	// The one that came after it. With it, more is searched, and chance is ruled out.
	NextOTP string `json:"next_otp,omitempty"`
	// What a sealed secret is bound to: the user's name, or Bind in its place.
	Username string `json:"username,omitempty"`
	Bind     string `json:"bind,omitempty"`
	// As for [VerifyRequest].
	LastStep *int64 `json:"last_step,omitempty"`
	Drift    int    `json:"drift,omitempty"`
}

// What a [Finding] is about.
const (
	FindingUsed      = "used"      // it, or a later one, was accepted before: Step or Counter
	FindingClock     = "clock"     // the authenticator is Drift steps ahead of the server
	FindingCounter   = "counter"   // it is Ahead of the expected counter: for [Authenticator.Resync]
	FindingAlgorithm = "algorithm" // it has another Algorithm than the secret
	FindingDigits    = "digits"    // it has other Digits
	FindingPeriod    = "period"    // it has another Period
	FindingLocked    = "locked"    // no code is looked at for RetryAfter
	FindingDisabled  = "disabled"  // no code is looked at until [Authenticator.Reset]
)

// Finding is a reason for which a code may be refused. Which members it has is said with the constants.
type Finding struct {
	What    string `json:"what"`
	Step    *int64 `json:"step"`
	Counter *int64 `json:"counter"`
	// Below 0: behind. DriftSeconds is the same in seconds.
	Drift        int    `json:"drift"`
	DriftSeconds int64  `json:"drift_s"`
	Ahead        int    `json:"ahead"`
	Algorithm    string `json:"algorithm"`
	Digits       int    `json:"digits"`
	// In seconds, as is RetryAfter.
	Period     int   `json:"period"`
	RetryAfter int64 `json:"retry_after_s"`
	// The probability that a code which is wrong altogether gives such a finding.
	Chance float64 `json:"chance"`
}

// Diagnosis is what was found out about a code.
type Diagnosis struct {
	// It is right, and was not used.
	Right    bool      `json:"right"`
	Findings []Finding `json:"findings"`
	Warnings []string  `json:"warnings"`
}

// Diagnose tells why a code is refused. It is for the help desk and for logs, never for who logs in. It accepts
// nothing, counts nothing and changes nothing.
//
// It fails with [ErrInvalidToken] (it is no code), [ErrStoreUnavailable], [ErrInvalidSecret], [ErrBadRequest] or
// [ErrRequestTooLarge].
func (authenticator *Authenticator) Diagnose(request DiagnoseRequest) (*Diagnosis, error) {
	var diagnosis Diagnosis
	if err := authenticator.call(C.factor2_diagnose, request, &diagnosis, nil); err != nil {
		return nil, err
	}
	return &diagnosis, nil
}
