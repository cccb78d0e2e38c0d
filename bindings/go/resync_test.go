package factor2_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"factor2"
)

// The codes of RFC 4226 appendix D.
const token = "otpauth://hotp/bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0"

func TestWithTheStoreNoneTheLastStepOfEitherTypeIsKept(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{Guard: &factor2.Guard{Store: factor2.StoreNone}})
	login := login
	for _, request := range []*factor2.VerifyRequest{&login, {TOTPSecret: token, OTP: "755224"}} {
		verification, err := authenticator.Verify(*request)
		if err != nil {
			t.Fatal(err)
		}
		last := verification.LastStep()
		request.LastStep = &last
		if _, err := authenticator.Verify(*request); !errors.Is(err, factor2.ErrTokenReused) {
			t.Errorf("%+v: %v", request, err)
		}
	}
	if *login.LastStep != then.Unix()/30 {
		t.Error(*login.LastStep)
	}
}

func TestACounterOfZeroIsToldFromNone(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	code, err := authenticator.Generate(factor2.SecretRequest{TOTPSecret: token})
	if err != nil || code.Counter == nil || *code.Counter != 0 || code.ValidFor != 0 {
		t.Fatal(code, err)
	}
	code, err = authenticator.Generate(factor2.SecretRequest{TOTPSecret: secret})
	if err != nil || code.Counter != nil || code.ValidFor != 30*time.Second {
		t.Fatal(code, err)
	}
	verification, err := authenticator.Verify(factor2.VerifyRequest{TOTPSecret: token, OTP: "755224"})
	if err != nil || verification.Counter == nil || verification.LastStep() != 0 {
		t.Fatal(verification, err)
	}
	read, err := authenticator.ReadURI(token)
	if err != nil || read.Counter == nil || read.Period != 0 || read.Type != factor2.TypeHOTP {
		t.Fatal(read, err)
	}
}

func TestAFindingHasTheMembersOfItsKind(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{Guard: &factor2.Guard{Store: factor2.StoreMemory, Soft: 1}})
	if _, err := authenticator.Verify(factor2.VerifyRequest{TOTPSecret: token, OTP: "000000"}); err == nil {
		t.Fatal("a wrong code is accepted")
	}
	diagnosis, err := authenticator.Diagnose(factor2.DiagnoseRequest{TOTPSecret: token, OTP: "755224"})
	locked := factor2.Finding{What: factor2.FindingLocked, RetryAfter: 30 * time.Second}
	if err != nil || !reflect.DeepEqual(diagnosis, &factor2.Diagnosis{Right: true, Findings: []factor2.Finding{locked}}) {
		t.Errorf("%+v: %v", diagnosis, err)
	}
	// 745994 is the code of two steps later.
	diagnosis, err = authenticator.Diagnose(factor2.DiagnoseRequest{TOTPSecret: secret, OTP: "745994"})
	if err != nil || diagnosis.Right || len(diagnosis.Findings) != 1 {
		t.Fatalf("%+v: %v", diagnosis, err)
	}
	clock := diagnosis.Findings[0]
	if clock.Chance < 0.005 || clock.Chance > 0.006 {
		t.Error(clock.Chance)
	}
	clock.Chance = 0
	if clock != (factor2.Finding{What: factor2.FindingClock, Drift: 2, DriftTime: time.Minute}) {
		t.Errorf("%+v", clock)
	}
}

func TestWithoutAPairOfCodesNothingIsFound(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	for _, request := range []factor2.ResyncRequest{{}, {TOTPSecret: token}, {TOTPSecret: token, OTP: "755224"},
		{OTP: "755224", NextOTP: "287082"}} {
		if verification, err := authenticator.Resync(request); verification != nil || !errors.Is(err, factor2.ErrInvalidToken) {
			t.Errorf("%+v: %v", request, err)
		}
	}
	for _, request := range []factor2.DiagnoseRequest{{}, {TOTPSecret: token}, {OTP: "755224"}} {
		if diagnosis, err := authenticator.Diagnose(request); diagnosis != nil || !errors.Is(err, factor2.ErrInvalidToken) {
			t.Errorf("%+v: %v", request, err)
		}
	}
}
