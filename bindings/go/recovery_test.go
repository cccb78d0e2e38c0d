package factor2_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"factor2"
)

func TestKeysAndRecoveryCodesAreNotPrinted(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	seal := &factor2.Seal{Keys: map[string][]byte{"k1": key}, Use: "k1"}
	authenticator := newAuthenticator(t, factor2.Config{Seal: seal})
	set, err := authenticator.CreateRecoveryCodes(2)
	if err != nil || len(set.Codes) != 2 {
		t.Fatal(set, err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		said := fmt.Sprintf(strings.Repeat(format, 4), seal, *seal, set, *set)
		for _, word := range []string{set.Codes[0], set.Codes[1], string(key), "48 49", "0x30"} {
			if strings.Contains(said, word) {
				t.Errorf("%s: %s", format, said)
			}
		}
		if !strings.Contains(said, "k1") || !strings.Contains(said, "{2}") {
			t.Errorf("%s: %s", format, said)
		}
	}
}

func TestTheLimitsOfRetriesArrive(t *testing.T) {
	retry := &factor2.Retry{TTL: time.Minute, Limit: 1}
	authenticator := newAuthenticator(t, factor2.Config{Guard: &factor2.Guard{Store: factor2.StoreMemory, Retry: retry}})
	description, err := authenticator.Describe()
	if err != nil || description.Guard.Retry == nil || *description.Guard.Retry != *retry {
		t.Errorf("%+v: %v", description, err)
	}
	request := factor2.VerifyRequest{TOTPSecret: secret, OTP: "967967", RetryKey: "session 1"}
	for i, repeated := range []bool{false, true} {
		if verification, err := authenticator.Verify(request); err != nil || verification.Repeated != repeated {
			t.Error(i, verification, err)
		}
	}
	if _, err := authenticator.Verify(request); !errors.Is(err, factor2.ErrTokenReused) {
		t.Error(err)
	}
	for _, retry := range []factor2.Retry{{TTL: time.Millisecond}, {TTL: 2 * time.Hour}, {Limit: 101}} {
		retry := retry
		_, err := factor2.New(factor2.Config{Issuer: "b", Guard: &factor2.Guard{Store: factor2.StoreMemory, Retry: &retry}})
		if !errors.Is(err, factor2.ErrConfiguration) || !strings.Contains(err.Error(), "retry") {
			t.Error(retry, err)
		}
	}
}

func TestNobodyIsNeverLetIn(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	request := factor2.VerifyRequest{Nobody: true, TOTPSecret: secret, TOTPSecrets: []string{secret}, OTP: "967967"}
	if _, err := authenticator.Verify(request); !errors.Is(err, factor2.ErrInvalidToken) {
		t.Error(err)
	}
	set, err := authenticator.CreateRecoveryCodes(0)
	if err != nil {
		t.Fatal(err)
	}
	none := factor2.VerifyRecoveryCodeRequest{Nobody: true, Recovery: set.Recovery, Code: set.Codes[0]}
	if _, err := authenticator.VerifyRecoveryCode(none); !errors.Is(err, factor2.ErrInvalidToken) {
		t.Error(err)
	}
	record, err := authenticator.InspectRecoveryCodes(set.Recovery)
	if err != nil || len(record.Used) != 0 || record.Remaining != 10 || record.Failures != 0 {
		t.Errorf("%+v: %v", record, err)
	}
	odd := "a\xff"
	for _, request := range []factor2.VerifyRequest{{TOTPSecrets: []string{odd}, OTP: "967967"}, {TOTPSecret: secret, Bind: odd}} {
		if _, err := authenticator.Verify(request); !errors.Is(err, factor2.ErrBadRequest) || !strings.Contains(err.Error(), "UTF-8") {
			t.Error(err)
		}
	}
}
