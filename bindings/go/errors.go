package factor2

// #include <factor2.h>
import "C"

import "time"

// Status is the number of an error, and an error itself: what [errors.Is] looks for. Numbers never
// change their meaning. A later library may have more than are named here.
type Status int

// The statuses of the library.
const (
	// A required pointer is NULL. Never happens through this package.
	ErrNullPointer Status = C.FACTOR2_NULL_POINTER
	// The authenticator is closed.
	ErrInvalidHandle Status = C.FACTOR2_INVALID_HANDLE
	// The request is longer than 64 KiB, or than 16 MiB for Import.
	ErrRequestTooLarge Status = C.FACTOR2_REQUEST_TOO_LARGE
	// A member of the request is missing, not UTF-8 or out of range; the message names it.
	ErrBadRequest Status = C.FACTOR2_BAD_REQUEST
	// The code is wrong or no code, or code or secret were not given.
	ErrInvalidToken Status = C.FACTOR2_INVALID_TOKEN
	// The code is right, but it or a later one was accepted before.
	ErrTokenReused Status = C.FACTOR2_TOKEN_REUSED
	// Too many wrong codes: the code was not looked at, wait RetryAfter.
	ErrThrottled Status = C.FACTOR2_THROTTLED
	// The hard limit of wrong codes was reached.
	ErrDisabled Status = C.FACTOR2_DISABLED
	// The session has no totpsecret, or no factor2.
	ErrUnauthorized Status = C.FACTOR2_UNAUTHORIZED
	// The session key has no data.
	ErrInvalidKey Status = C.FACTOR2_INVALID_KEY
	// The session's data is no JSON that could hold a configuration, or nothing of a text can be imported.
	ErrDataFormat Status = C.FACTOR2_DATA_FORMAT
	// The secret is not base32, or of a wrong length.
	ErrInvalidSecret Status = C.FACTOR2_INVALID_SECRET
	// A setting is missing or wrong, or FactorName is not set where it is needed.
	ErrConfiguration Status = C.FACTOR2_CONFIGURATION
	// The guard's store did not answer, is full, corrupt, or cannot be shared as it is used.
	ErrStoreUnavailable Status = C.FACTOR2_STORE_UNAVAILABLE
	// An internal error, or one with no other name.
	ErrUnknownError Status = C.FACTOR2_UNKNOWN_ERROR
	// No memory.
	ErrOutOfMemory Status = C.FACTOR2_OUT_OF_MEMORY
	// The system gave no randomness.
	ErrRandomUnavailable Status = C.FACTOR2_RANDOM_UNAVAILABLE
)

// Code gives the stable name of the status, such as "InvalidToken"; "UnknownError" for a number that
// the library does not know.
func (status Status) Code() string {
	return C.GoString(C.factor2_status_name(C.factor2_status(status)))
}

// HTTPStatus gives what a web server would answer with, such as 401; 500 for a number that the library
// does not know.
func (status Status) HTTPStatus() int {
	return int(C.factor2_status_http(C.factor2_status(status)))
}

// Error makes a status an error.
func (status Status) Error() string {
	return "factor2: " + status.Code()
}

// Error is what every method fails with; find it by [errors.As].
type Error struct {
	// For [errors.Is] and for switch.
	Status Status
	// The status's stable name, such as "InvalidToken".
	Code string
	// What a web server would answer with, such as 401.
	HTTPStatus int
	// For developers and logs. It never holds a secret or a code.
	Message string
	// After how long another code will be looked at; 0 where waiting does not help.
	RetryAfter time.Duration
}

// Error says the code and the message.
func (err *Error) Error() string {
	return err.Status.Error() + ": " + err.Message
}

// Unwrap gives the status, by which [errors.Is] compares.
func (err *Error) Unwrap() error {
	return err.Status
}

func newError(status Status, message string) *Error {
	return &Error{
		Status:     status,
		Code:       status.Code(),
		HTTPStatus: status.HTTPStatus(),
		Message:    message,
	}
}

// Makes the error of a call from its status and its response, which may be empty after an internal error.
func decodeError(status Status, text []byte) *Error {
	var response struct {
		Error struct {
			Message    string `json:"message"`
			RetryAfter int64  `json:"retry_after_s"`
		} `json:"error"`
	}
	// The status is the verdict, with or without details.
	if decode(text, &response) != nil {
		return newError(status, "no further details")
	}
	err := newError(status, response.Error.Message)
	err.RetryAfter = time.Duration(response.Error.RetryAfter) * time.Second
	return err
}
