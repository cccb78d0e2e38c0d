package factor2

// #include <factor2.h>
import "C"

import (
	"time"
	"unsafe"
)

// Record is what the guard remembers of a credential.
type Record struct {
	// The highest accepted step or counter; nil when there is none.
	LastStep *int64
	// Wrong codes in a row.
	Failures int
	// Until when no code is looked at; the zero time when it was not locked.
	LockedUntil time.Time
	// Whether the hard limit of wrong codes was reached.
	Disabled bool
}

// Inspect shows what the guard remembers of a secret's credential, and changes nothing. A credential that
// was never tried looks like a new one.
//
// It fails with [ErrConfiguration] (the guard is StoreNone), [ErrStoreUnavailable], [ErrInvalidSecret],
// [ErrBadRequest] or [ErrRequestTooLarge].
func (authenticator *Authenticator) Inspect(request SecretRequest) (*Record, error) {
	response, err := authenticator.record(C.factor2_inspect, request)
	return response.record(), err
}

// Reset forgets the wrong codes of a secret's credential: failures, lock and disabled. For an
// administrator, once the user's identity was checked in another way. No code works a second time after
// it. It gives the record after the reset, and fails as [Authenticator.Inspect] does.
func (authenticator *Authenticator) Reset(request SecretRequest) (*Record, error) {
	response, err := authenticator.record(C.factor2_reset, request)
	return response.record(), err
}

// Of a credential, or of a set of recovery codes.
type recordResponse struct {
	LastStep    *int64 `json:"last_step"`
	Used        []int  `json:"used"`
	Remaining   int    `json:"remaining"`
	Failures    int    `json:"failures"`
	LockedUntil int64  `json:"locked_until"`
	Disabled    bool   `json:"disabled"`
}

func (authenticator *Authenticator) record(operation unsafe.Pointer, request any) (*recordResponse, error) {
	var response recordResponse
	if err := authenticator.call(operation, request, &response, nil); err != nil {
		return nil, err
	}
	return &response, nil
}

func (response *recordResponse) record() *Record {
	if response == nil {
		return nil
	}
	return &Record{response.LastStep, response.Failures, response.lockedUntil(), response.Disabled}
}

func (response *recordResponse) recoveryRecord() *RecoveryRecord {
	if response == nil {
		return nil
	}
	return &RecoveryRecord{response.Used, response.Remaining, response.Failures, response.lockedUntil(), response.Disabled}
}

func (response *recordResponse) lockedUntil() time.Time {
	if response.LockedUntil == 0 {
		return time.Time{}
	}
	return time.Unix(response.LockedUntil, 0)
}
