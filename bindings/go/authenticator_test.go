package factor2_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"factor2"
)

const secret = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"

// 2027-01-15 08:00 UTC, whose code of secret is 967967.
var then = time.Unix(1_800_000_000, 0)

var login = factor2.VerifyRequest{TOTPSecret: secret, OTP: "967967"}

func newAuthenticator(t *testing.T, config factor2.Config) *factor2.Authenticator {
	t.Helper()
	if config.Issuer == "" {
		config.Issuer = "Example"
	}
	if config.FixedTime.IsZero() {
		config.FixedTime = then
	}
	authenticator, err := factor2.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { authenticator.Close() })
	return authenticator
}

// Every operation, for what holds for all of them.
func operations(authenticator *factor2.Authenticator) map[string]func() (any, error) {
	return map[string]func() (any, error){
		"Describe": func() (any, error) { return authenticator.Describe() },
		"CreateSecret": func() (any, error) {
			return authenticator.CreateSecret(factor2.CreateSecretRequest{Username: "bob"})
		},
		"QR": func() (any, error) {
			return authenticator.QR(factor2.QRRequest{Username: "bob", TOTPSecret: secret})
		},
		"PrepareConfiguration": func() (any, error) { return authenticator.PrepareConfiguration("bob") },
		"ReprepareConfiguration": func() (any, error) {
			return authenticator.ReprepareConfiguration("bob", `{"totpsecret":"`+secret+`","factor2":"totp"}`)
		},
		"Verify":   func() (any, error) { return authenticator.Verify(login) },
		"Inspect":  func() (any, error) { return authenticator.Inspect(factor2.SecretRequest{TOTPSecret: secret}) },
		"Reset":    func() (any, error) { return authenticator.Reset(factor2.SecretRequest{TOTPSecret: secret}) },
		"Generate": func() (any, error) { return authenticator.Generate(factor2.SecretRequest{TOTPSecret: secret}) },
	}
}

func TestVersion(t *testing.T) {
	description, err := newAuthenticator(t, factor2.Config{}).Describe()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(factor2.Version()) || factor2.Version() != description.Version {
		t.Error(factor2.Version(), description.Version)
	}
}

func TestManyGoroutinesWithOneCode(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	var accepted, reused int32
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < 64; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			verification, err := authenticator.Verify(login)
			switch {
			case err == nil && verification.Step == 60_000_000:
				atomic.AddInt32(&accepted, 1)
			case verification == nil && errors.Is(err, factor2.ErrTokenReused):
				atomic.AddInt32(&reused, 1)
			}
		}()
	}
	close(start)
	all.Wait()
	if accepted != 1 || reused != 63 {
		t.Errorf("accepted %d times, reused %d times", accepted, reused)
	}
}

func TestNothingWorksAfterClose(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{FactorName: "totp"})
	for name, operation := range operations(authenticator) {
		if _, err := operation(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := 0; i < 3; i++ {
		if err := authenticator.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, closed := range []*factor2.Authenticator{authenticator, {}} {
		for name, operation := range operations(closed) {
			if _, err := operation(); !errors.Is(err, factor2.ErrInvalidHandle) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := (&factor2.Authenticator{}).Close(); err != nil {
		t.Error(err)
	}
}

// Closing waits for the calls of other goroutines: none of them meets a freed authenticator.
func TestCloseWhileOthersCall(t *testing.T) {
	for round := 0; round < 20; round++ {
		authenticator := newAuthenticator(t, factor2.Config{FactorName: "totp"})
		var all, started sync.WaitGroup
		for name, operation := range operations(authenticator) {
			name, operation := name, operation
			all.Add(1)
			started.Add(1)
			go func() {
				defer all.Done()
				operation()
				started.Done()
				for {
					_, err := operation()
					if errors.Is(err, factor2.ErrInvalidHandle) {
						// The library itself would say that a handle is not live.
						if !strings.HasSuffix(err.Error(), "the authenticator is closed") {
							t.Errorf("%s: %v", name, err)
						}
						return
					}
					if err != nil && !errors.Is(err, factor2.ErrTokenReused) {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			}()
		}
		started.Wait()
		all.Add(2)
		for i := 0; i < 2; i++ {
			go func() {
				defer all.Done()
				authenticator.Close()
			}()
		}
		all.Wait()
	}
}

func TestGarbageCollectorFrees(t *testing.T) {
	path := filepath.Join(privateFolder(t), "factor2.db")
	_, err := factor2.New(factor2.Config{
		Issuer: "Example",
		Guard:  &factor2.Guard{Store: factor2.StoreSQLite, Path: path, Create: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !isOpen(t, path) {
		t.Fatal("the store is not open to begin with")
	}
	for i := 0; isOpen(t, path); i++ {
		if i == 1000 {
			t.Fatal("the store is still open")
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

// Whether this process has the file open.
func isOpen(t *testing.T, path string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no /proc/self/fd", err)
	}
	for _, file := range files {
		if target, _ := os.Readlink(file); target == path {
			return true
		}
	}
	return false
}

// Responses, errors and authenticators leave nothing in C's memory.
func TestMemoryStaysFlat(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{FactorName: "totp"})
	round := func() {
		for i := 0; i < 300; i++ {
			for _, operation := range operations(authenticator) {
				operation()
			}
			if _, err := factor2.New(factor2.Config{Issuer: "a:b"}); err == nil {
				t.Fatal("made")
			}
			other, err := factor2.New(factor2.Config{Issuer: "Example"})
			if err != nil {
				t.Fatal(err)
			}
			other.Close()
		}
		runtime.GC()
	}
	round()
	before := residentKiB(t)
	for i := 0; i < 5; i++ {
		round()
	}
	if grown := residentKiB(t) - before; grown > 4096 {
		t.Errorf("%d KiB more after 1,500 rounds", grown)
	}
}

func residentKiB(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize() / 1024
}
