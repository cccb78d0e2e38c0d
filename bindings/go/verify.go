package factor2

// #include <factor2.h>
import "C"

import "encoding/json"

// VerifyRequest is what [Authenticator.Verify] needs.
type VerifyRequest struct {
	// The user's stored secret: base32, an otpauth URI, or either of them sealed.
	TOTPSecret string
	// Instead, the stored secrets of a user who has several authenticators: up to 8.
	TOTPSecrets []string
	// The user does not exist, or has no second factor: the call does the work of a wrong code, so that time
	// does not tell, and nobody gets in. The secrets are not looked at then.
	Nobody bool
	// What the user typed. Blanks and dashes in it are dropped.
	OTP string
	// Any text; a sealed secret is bound to it.
	Username string
	// What a sealed secret is bound to in the place of Username.
	Bind string
	// What [Verification.LastStep] gave for the last accepted code, nil or -1 if there was none: for the guard
	// StoreNone, where you keep it; respected with the others as well.
	LastStep *int64
	// The same for each of TOTPSecrets.
	LastSteps []int64
	// How many steps a hardware token's clock is ahead or, below 0, behind, as [Authenticator.Resync] has found.
	Drift int
	// The same for each of TOTPSecrets.
	Drifts []int
	// With [Guard].Retry: what tells this session from all others. A call with the key and the code of the one
	// that was accepted last is answered as that one was. It comes from the server's side: whoever could
	// choose it, and saw a code, could use that code again.
	RetryKey string
}

// The request as the library reads it.
func (request *VerifyRequest) wire() any {
	wire := struct {
		TOTPSecret any    `json:"totpsecret,omitempty"`
		OTP        string `json:"otp,omitempty"`
		Username   string `json:"username,omitempty"`
		Bind       string `json:"bind,omitempty"`
		LastStep   any    `json:"last_step,omitempty"`
		Drift      any    `json:"drift,omitempty"`
		RetryKey   string `json:"retry_key,omitempty"`
	}{OTP: request.OTP, Username: request.Username, Bind: request.Bind, RetryKey: request.RetryKey}
	switch {
	case request.Nobody:
		wire.TOTPSecret = json.RawMessage("null")
	case request.TOTPSecrets != nil:
		wire.TOTPSecret = request.TOTPSecrets
	case request.TOTPSecret != "":
		wire.TOTPSecret = request.TOTPSecret
	}
	switch {
	case request.LastSteps != nil:
		wire.LastStep = request.LastSteps
	case request.LastStep != nil:
		wire.LastStep = *request.LastStep
	}
	switch {
	case request.Drifts != nil:
		wire.Drift = request.Drifts
	case request.Drift != 0:
		wire.Drift = request.Drift
	}
	return wire
}

// Verification tells which code was accepted.
type Verification struct {
	// The number of its time step; 0 with TypeHOTP.
	Step int64 `json:"step"`
	// How many steps that is after (or, below 0, before) the current one; 0 with TypeHOTP.
	Drift int `json:"drift"`
	// With TypeHOTP, its counter; else nil.
	Counter *int64 `json:"counter"`
	// Of several secrets, the place of the one whose code it was, from 0 on.
	Index int `json:"index"`
	// Another key than the one in use sealed the secret, or none: call [Authenticator.Seal] for it.
	Reseal bool `json:"reseal"`
	// It is the answer of an earlier call, see RetryKey.
	Repeated bool     `json:"repeated"`
	Warnings []string `json:"warnings"`
}

// LastStep gives what to pass as the request's LastStep from then on: Counter if there is one, else Step. With the
// guard StoreNone, store it before you let the user in, by one statement that only ever raises it and whose count of
// changed rows you check.
func (verification *Verification) LastStep() int64 {
	if verification.Counter != nil {
		return *verification.Counter
	}
	return verification.Step
}

// Verify checks a code. The error is nil only for an accepted code.
//
// It fails with [ErrInvalidToken] (with RetryAfter when the code locked the credential), [ErrTokenReused],
// [ErrThrottled] (with RetryAfter), [ErrDisabled], [ErrStoreUnavailable], [ErrInvalidSecret],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Verify(request VerifyRequest) (*Verification, error) {
	var verification Verification
	if err := authenticator.call(C.factor2_verify, request.wire(), &verification, nil); err != nil {
		return nil, err
	}
	return &verification, nil
}
