package factor2

// #include <factor2.h>
import "C"

// ResyncRequest is what [Authenticator.Resync] needs.
type ResyncRequest struct {
	// The stored secret, in any form.
	TOTPSecret string `json:"totpsecret,omitempty"`
	// A code, and the one that the token shows after it, which it shows now.
	OTP     string `json:"otp,omitempty"`
	NextOTP string `json:"next_otp,omitempty"`
	// What a sealed secret is bound to: the user's name, or Bind in its place.
	Username string `json:"username,omitempty"`
	Bind     string `json:"bind,omitempty"`
	// As for [VerifyRequest].
	LastStep *int64 `json:"last_step,omitempty"`
}

// Resynchronization tells where a token is.
type Resynchronization struct {
	// Of NextOTP, as for [Verification].
	Step    int64  `json:"step"`
	Counter *int64 `json:"counter"`
	// How many steps the token's clock is ahead or, below 0, behind: store it, and give it to
	// [Authenticator.Verify].
	Drift    int      `json:"drift"`
	Warnings []string `json:"warnings"`
}

// Resync finds a hardware token again whose counter or clock has run away, by two codes in a row. Both are
// used up. A wrong pair counts as one wrong code.
//
// It fails as [Authenticator.Verify] does.
func (authenticator *Authenticator) Resync(request ResyncRequest) (*Resynchronization, error) {
	var found Resynchronization
	if err := authenticator.call(C.factor2_resync, request, &found, nil); err != nil {
		return nil, err
	}
	return &found, nil
}
