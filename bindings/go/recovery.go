package factor2

// #include <factor2.h>
import "C"

import (
	"strconv"
	"time"
)

// RecoveryCodes is a set of recovery codes. It is not printed.
type RecoveryCodes struct {
	// Each good for one login, such as ABCD-EFGH-JKLM-NPQR-STUV-WXYZ. Show them once.
	Codes []string `json:"codes"`
	// The text to store. It holds no code, and none can be computed from it.
	Recovery string `json:"recovery"`
}

// String gives the number of codes.
func (set RecoveryCodes) String() string {
	return "RecoveryCodes{" + strconv.Itoa(len(set.Codes)) + "}"
}

// GoString gives what String does.
func (set RecoveryCodes) GoString() string { return set.String() }

// CreateRecoveryCodes makes a set of recovery codes, the way back in for a user whose device is lost: count
// is 1 to 32, and 0 stands for 10. A new set takes the place of the old one.
//
// It fails with [ErrBadRequest] (the count) or [ErrRandomUnavailable].
func (authenticator *Authenticator) CreateRecoveryCodes(count int) (*RecoveryCodes, error) {
	request := struct {
		Count int `json:"count,omitempty"`
	}{count}
	var set RecoveryCodes
	if err := authenticator.call(C.factor2_create_recovery_codes, request, &set, nil); err != nil {
		return nil, err
	}
	return &set, nil
}

// VerifyRecoveryCodeRequest is what [Authenticator.VerifyRecoveryCode] needs.
type VerifyRecoveryCodeRequest struct {
	// The stored text.
	Recovery string
	// The user does not exist, or has no recovery codes: the call does the work of a wrong code, and nobody
	// gets in. Recovery is not looked at then.
	Nobody bool
	// What the user typed. Case, blanks and dashes don't matter.
	Code string
	// Demands the code with this number, from 1 on; 0 stands for any.
	Number int
	// The numbers of the used codes: for the guard StoreNone, where you keep them; respected with the others as
	// well.
	Used []int
}

// RecoveryVerification tells which recovery code was accepted.
type RecoveryVerification struct {
	// The number of the code. With the guard StoreNone, store it before you let the user in, by one statement
	// that fails if it is there.
	Number int `json:"number"`
	// How many codes are left.
	Remaining int `json:"remaining"`
}

// VerifyRecoveryCode checks a recovery code, and uses it up. The error is nil only for an accepted code.
//
// It fails with [ErrInvalidToken] (with RetryAfter when the code locked the set), [ErrTokenReused],
// [ErrThrottled] (with RetryAfter), [ErrDisabled], [ErrDataFormat] (Recovery), [ErrStoreUnavailable],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) VerifyRecoveryCode(request VerifyRecoveryCodeRequest) (*RecoveryVerification, error) {
	wire := struct {
		Recovery *string `json:"recovery"`
		Code     string  `json:"code,omitempty"`
		Number   int     `json:"number,omitempty"`
		Used     []int   `json:"used,omitempty"`
	}{&request.Recovery, request.Code, request.Number, request.Used}
	if request.Nobody {
		wire.Recovery = nil
	}
	var verification RecoveryVerification
	if err := authenticator.call(C.factor2_verify_recovery_code, wire, &verification, nil); err != nil {
		return nil, err
	}
	return &verification, nil
}

// RecoveryRecord is what the guard remembers of a set of recovery codes.
type RecoveryRecord struct {
	// The numbers of the used codes.
	Used []int
	// How many codes are left.
	Remaining int
	// As those of [Record].
	Failures    int
	LockedUntil time.Time
	Disabled    bool
}

// InspectRecoveryCodes shows what the guard remembers of a set, and changes nothing.
//
// It fails with [ErrConfiguration] (the guard is StoreNone), [ErrStoreUnavailable], [ErrDataFormat],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) InspectRecoveryCodes(recovery string) (*RecoveryRecord, error) {
	response, err := authenticator.record(C.factor2_inspect, recoveryRequest{recovery})
	return response.recoveryRecord(), err
}

// ResetRecoveryCodes forgets the wrong codes of a set, as [Authenticator.Reset] does; used codes stay used.
func (authenticator *Authenticator) ResetRecoveryCodes(recovery string) (*RecoveryRecord, error) {
	response, err := authenticator.record(C.factor2_reset, recoveryRequest{recovery})
	return response.recoveryRecord(), err
}

type recoveryRequest struct {
	Recovery string `json:"recovery"`
}
