// Package factor2 is a second factor for a Go server: time-based one-time passwords (TOTP) from the
// secret and its QR code to the check of a code, each code accepted once, and guessing throttled.
//
// It calls the C library factor2 by cgo, and pkg-config has to find that. The library's header,
// factor2.h, is the full specification; names here are the header's in Go's spelling.
//
// Make one [Authenticator] at start, by [New], and share it between all goroutines. To enroll a user,
// call [Authenticator.CreateSecret], show the QR code, store the secret, and let the user confirm by a
// code. To log a user in, call [Authenticator.Verify]: its error is nil only for an accepted code.
//
//	if _, err := authenticator.Verify(factor2.VerifyRequest{TOTPSecret: secret, OTP: typed}); err != nil {
//		return err // not let in
//	}
//
// The zero value of a member of a request or a setting stands for "not given": what the library takes
// as its default then.
//
// # Errors
//
// Every error of this package is an [*Error], for [errors.As], and has a [Status], for [errors.Is]:
//
//	var details *factor2.Error
//	switch {
//	case errors.Is(err, factor2.ErrTokenReused):
//		// the code was accepted before
//	case errors.As(err, &details) && details.RetryAfter > 0:
//		// the next code is looked at after details.RetryAfter
//	}
//
// To end users say one thing for all of them: the code was not accepted, and when the next one may be
// tried. Take a status that you don't know as a refusal.
//
// # Secrets in memory
//
// The library wipes its own memory: a response's before the method returns. What Go holds, requests and
// responses as Go strings, cannot be wiped, and stays until the garbage collector uses its memory again.
// The structs here hold secrets as plain strings: don't log them. Only [Seal] and [RecoveryCodes] don't print
// what they hold.
package factor2

// #cgo pkg-config: factor2
// #cgo LDFLAGS: -lfactor2 -lm -lpthread -ldl
// #include <factor2.h>
//
// typedef struct { factor2_status status; factor2_response *response; } outcome;
//
// static outcome call(factor2_operation operation, const factor2_authenticator *authenticator,
//                     const char *request, size_t length)
// {
//     outcome outcome;
//     outcome.status = operation(authenticator, request, length, &outcome.response);
//     return outcome;
// }
//
// typedef struct { outcome outcome; factor2_authenticator *authenticator; } creation;
//
// static creation create(const char *config, size_t length)
// {
//     creation creation;
//     creation.outcome.status = factor2_authenticator_new(config, length, &creation.authenticator,
//                                                         &creation.outcome.response);
//     return creation;
// }
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// Authenticator holds the settings and the guard of one second factor. Make one at start, by [New], and
// share it: any number of goroutines may call its methods at once. After [Authenticator.Close] they all
// fail with [ErrInvalidHandle]. An Authenticator must not be copied.
type Authenticator struct {
	// Held for reading during each call, so that closing waits for them.
	mutex  sync.RWMutex
	handle *C.factor2_authenticator
}

// New makes an authenticator from its settings, of which only Issuer is required. It fails with
// [ErrConfiguration] when a setting is missing or wrong (the message names it), and with
// [ErrStoreUnavailable] when the guard's store cannot be opened.
func New(config Config) (*Authenticator, error) {
	text, err := encode(config.wire())
	if err != nil {
		return nil, err
	}
	made := C.create(characters(text), C.size_t(len(text)))
	if err := take(made.outcome, nil, nil); err != nil {
		return nil, err
	}
	authenticator := &Authenticator{handle: made.authenticator}
	runtime.SetFinalizer(authenticator, (*Authenticator).Close)
	return authenticator, nil
}

// Close frees the authenticator, once the calls that other goroutines are in have returned. Closing it
// again does nothing. The error is always nil; it is there for [io.Closer]. An authenticator that is
// not closed is freed by the garbage collector at last.
func (authenticator *Authenticator) Close() error {
	authenticator.mutex.Lock()
	defer authenticator.mutex.Unlock()
	C.factor2_authenticator_free(authenticator.handle)
	authenticator.handle = nil
	runtime.SetFinalizer(authenticator, nil)
	return nil
}

// Version gives the C library's version at run time, such as "0.1.0".
func Version() string {
	return C.GoString(C.factor2_version())
}

// Calls a C function that is an operation. Decodes its JSON into response, and copies the bytes beside it
// into data, if that is not nil.
func (authenticator *Authenticator) call(operation unsafe.Pointer, request, response any, data *[]byte) error {
	text, err := encode(request)
	if err != nil {
		return err
	}
	authenticator.mutex.RLock()
	defer authenticator.mutex.RUnlock()
	if authenticator.handle == nil {
		return newError(ErrInvalidHandle, "the authenticator is closed")
	}
	called := C.call(C.factor2_operation(operation), authenticator.handle, characters(text), C.size_t(len(text)))
	return take(called, response, data)
}

// Takes what a call gave, and frees it.
func take(called C.outcome, response any, data *[]byte) error {
	defer C.factor2_response_free(called.response)
	var length C.size_t
	json := C.factor2_response_json(called.response, &length)
	text := unsafe.Slice((*byte)(unsafe.Pointer(json)), int(length))
	if called.status != C.FACTOR2_OK {
		return decodeError(Status(called.status), text)
	}
	if response == nil {
		return nil
	}
	if data != nil {
		bytes := C.factor2_response_data(called.response, &length)
		*data = C.GoBytes(unsafe.Pointer(bytes), C.int(length))
	}
	return decode(text, response)
}

// A request's text as C reads it. It is never empty, and holds no Go pointers.
func characters(text []byte) *C.char {
	return (*C.char)(unsafe.Pointer(&text[0]))
}
