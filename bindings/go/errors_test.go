package factor2_test

import (
	"errors"
	"fmt"
	"testing"

	"factor2"
)

// By the names of the list of cases.
var sentinels = map[string]factor2.Status{
	"NullPointer":       factor2.ErrNullPointer,
	"InvalidHandle":     factor2.ErrInvalidHandle,
	"RequestTooLarge":   factor2.ErrRequestTooLarge,
	"BadRequest":        factor2.ErrBadRequest,
	"InvalidToken":      factor2.ErrInvalidToken,
	"TokenReused":       factor2.ErrTokenReused,
	"Throttled":         factor2.ErrThrottled,
	"Disabled":          factor2.ErrDisabled,
	"Unauthorized":      factor2.ErrUnauthorized,
	"InvalidKey":        factor2.ErrInvalidKey,
	"DataFormat":        factor2.ErrDataFormat,
	"InvalidSecret":     factor2.ErrInvalidSecret,
	"Configuration":     factor2.ErrConfiguration,
	"StoreUnavailable":  factor2.ErrStoreUnavailable,
	"UnknownError":      factor2.ErrUnknownError,
	"OutOfMemory":       factor2.ErrOutOfMemory,
	"RandomUnavailable": factor2.ErrRandomUnavailable,
}

func TestEveryStatusHasItsSentinel(t *testing.T) {
	statuses := readCases(t).Statuses
	if len(statuses) != len(sentinels)+1 {
		t.Errorf("%d statuses, %d sentinels and Ok", len(statuses), len(sentinels))
	}
	for _, expected := range statuses {
		if expected.Name == "Ok" {
			continue
		}
		sentinel := sentinels[expected.Name]
		if sentinel != expected.Status || sentinel.Code() != expected.Name || sentinel.HTTPStatus() != expected.HTTPStatus {
			t.Errorf("%s: %d %s %d", expected.Name, sentinel, sentinel.Code(), sentinel.HTTPStatus())
		}
		if sentinel.Error() != "factor2: "+expected.Name {
			t.Error(sentinel.Error())
		}
	}
}

func TestErrorsAreFoundThroughOthers(t *testing.T) {
	_, err := factor2.New(factor2.Config{})
	err = fmt.Errorf("at start: %w", err)
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) != (name == "Configuration") {
			t.Errorf("%v: %s", err, name)
		}
	}
	var details *factor2.Error
	if !errors.As(err, &details) || details.Status != factor2.ErrConfiguration {
		t.Error(err)
	}
	var status factor2.Status
	if !errors.As(err, &status) || status != factor2.ErrConfiguration {
		t.Error(err)
	}
	if details.Error() != "factor2: Configuration: "+details.Message {
		t.Error(details)
	}
}

func TestAStatusOfALaterLibraryIsAnError(t *testing.T) {
	later := factor2.Status(999)
	if later.Code() != "UnknownError" || later.HTTPStatus() != 500 || errors.Is(later, factor2.ErrUnknownError) {
		t.Error(later)
	}
}
