package factor2

// #include <factor2.h>
import "C"

import "time"

// ResyncRequest is what [Authenticator.Resync] needs.
type ResyncRequest struct {
	// The user's stored secret.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// A code, and the one that the authenticator shows after it, which is the one that it shows now.
	OTP     string `json:"otp,omitempty"`
	NextOTP string `json:"next_otp,omitempty"`
	// What a sealed secret is bound to: the user's name, or Bind in its place.
	Username string `json:"username,omitempty"`
	Bind     string `json:"bind,omitempty"`
	// As for [VerifyRequest].
	LastStep *int64 `json:"last_step,omitempty"`
}

// Resync finds a hardware token again whose counter or clock has run away from the server's, by two codes in a row.
// Both are used up, and a wrong pair counts as one wrong code. Store the Drift of what it gives with the user, and
// pass it to [Authenticator.Verify] from then on; with TypeHOTP the guard remembers the counter.
//
// The error is nil only for two such codes. It fails as [Authenticator.Verify] does.
func (authenticator *Authenticator) Resync(request ResyncRequest) (*Verification, error) {
	var verification Verification
	if err := authenticator.call(C.factor2_resync, request, &verification, nil); err != nil {
		return nil, err
	}
	return &verification, nil
}

// DiagnoseRequest is what [Authenticator.Diagnose] needs.
type DiagnoseRequest struct {
	// The user's stored secret.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// The code that is refused: 6 to 8 digits, whatever the settings say.
	OTP string `json:"otp,omitempty"`
	// The code that the authenticator shows after that. With it more is searched, and chance is ruled out.
	NextOTP string `json:"next_otp,omitempty"`
	// What a sealed secret is bound to: the user's name, or Bind in its place.
	Username string `json:"username,omitempty"`
	Bind     string `json:"bind,omitempty"`
	// As for [VerifyRequest].
	LastStep *int64 `json:"last_step,omitempty"`
	Drift    int    `json:"drift,omitempty"`
}

// Diagnosis tells why a code is refused.
type Diagnosis struct {
	// The code is right, and was not used.
	Right bool
	// Empty if nothing was found.
	Findings []Finding
	Warnings []string
}

// What a [Finding] is.
const (
	FindingUsed      = "used"      // the code, or a later one, was accepted before: its Step or Counter
	FindingClock     = "clock"     // the authenticator's clock or the server's is wrong, or the code is old: Drift, DriftTime
	FindingCounter   = "counter"   // with TypeHOTP, the token ran away: it is Ahead, see Resync
	FindingAlgorithm = "algorithm" // the authenticator ignored that of the URI: its Algorithm
	FindingDigits    = "digits"    // the same: its Digits
	FindingPeriod    = "period"    // the same: its Period
	FindingLocked    = "locked"    // no code is looked at for RetryAfter
	FindingDisabled  = "disabled"  // no code is looked at until Reset or a new secret
)

// Finding is one thing that is wrong. What tells which other members it has; those are zero or nil that it has not.
type Finding struct {
	// FindingUsed and so on. Ignore what you don't know.
	What    string `json:"what"`
	Step    int64  `json:"step"`
	Counter *int64 `json:"counter"`
	// How many steps the authenticator is ahead of the server or, below 0, behind; and how long that is.
	Drift     int           `json:"drift"`
	DriftTime time.Duration `json:"-"`
	// How many counters the token is ahead of the expected one.
	Ahead      int64         `json:"ahead"`
	Algorithm  string        `json:"algorithm"`
	Digits     int           `json:"digits"`
	Period     time.Duration `json:"-"`
	RetryAfter time.Duration `json:"-"`
	// The probability that a code which is wrong altogether gives such a finding; 0 for FindingLocked and
	// FindingDisabled, which are certain.
	Chance float64 `json:"chance"`
}

// Diagnose tells the help desk why a code is refused, never the user who logs in, who may be somebody else. It
// accepts, counts and changes nothing: that there is no error is no verdict.
//
// It fails with [ErrInvalidToken] (a code is none, or not given), [ErrInvalidSecret], [ErrStoreUnavailable],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Diagnose(request DiagnoseRequest) (*Diagnosis, error) {
	type plain Finding
	var response struct {
		Right    bool `json:"right"`
		Findings []struct {
			plain
			DriftTime  int64 `json:"drift_s"`
			Period     int64 `json:"period"`
			RetryAfter int64 `json:"retry_after_s"`
		} `json:"findings"`
		Warnings []string `json:"warnings"`
	}
	if err := authenticator.call(C.factor2_diagnose, request, &response, nil); err != nil {
		return nil, err
	}
	diagnosis := &Diagnosis{Right: response.Right, Warnings: response.Warnings}
	for _, found := range response.Findings {
		finding := Finding(found.plain)
		finding.DriftTime = time.Duration(found.DriftTime) * time.Second
		finding.Period = time.Duration(found.Period) * time.Second
		finding.RetryAfter = time.Duration(found.RetryAfter) * time.Second
		diagnosis.Findings = append(diagnosis.Findings, finding)
	}
	return diagnosis, nil
}
