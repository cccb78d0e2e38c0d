package factor2_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"factor2"
)

// A user enrolls, logs in, and is refused when somebody tries the same code again.
func Example() {
	// Once, at start. FixedTime is for tests: leave it out.
	authenticator, err := factor2.New(factor2.Config{
		Issuer:    "Example",
		FixedTime: time.Unix(1_800_000_000, 0),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer authenticator.Close()

	// Enrollment: store secret.TOTPSecret with the user, and show secret.QR in the page, or secret.PNG.
	secret, err := authenticator.CreateSecret(factor2.CreateSecretRequest{Username: "bob@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.22s...\n", secret.QR)

	// The user scans it, and types the code that the phone shows. Here, the library plays the phone.
	phone, err := authenticator.Generate(factor2.SecretRequest{TOTPSecret: secret.TOTPSecret})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Login, and the enrollment's first code: let in only without an error.
	login := factor2.VerifyRequest{TOTPSecret: secret.TOTPSecret, OTP: phone.OTP}
	if _, err := authenticator.Verify(login); err == nil {
		fmt.Println("welcome")
	}

	// The same code does not work twice.
	_, err = authenticator.Verify(login)
	if errors.Is(err, factor2.ErrTokenReused) {
		fmt.Println("not with the same code")
	}
	// Output:
	// data:image/png;base64,...
	// welcome
	// not with the same code
}

// What to tell a user whose code was refused: one thing for all causes, and how long to wait.
func ExampleError() {
	authenticator, err := factor2.New(factor2.Config{Issuer: "Example", FixedTime: time.Unix(1_800_000_000, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer authenticator.Close()

	guess := factor2.VerifyRequest{TOTPSecret: "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q", OTP: "000000"}
	for i := 0; i < 6; i++ {
		_, err = authenticator.Verify(guess)
	}
	var details *factor2.Error
	if errors.As(err, &details) {
		fmt.Println("The code was not accepted. The next one may be tried in", details.RetryAfter)
		fmt.Println(details.Code, details.HTTPStatus, errors.Is(err, factor2.ErrThrottled))
	}
	// Output:
	// The code was not accepted. The next one may be tried in 30s
	// Throttled 429 true
}

// A guard that all processes of a machine share, and stricter settings.
func ExampleNew() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	authenticator, err := factor2.New(factor2.Config{
		Issuer: "Example",
		Window: &factor2.Window{}, // the current step only
		Guard: &factor2.Guard{
			Store:     factor2.StoreSQLite,
			Path:      filepath.Join(folder, "factor2.db"),
			Create:    true,
			Soft:      3,
			BaseDelay: time.Minute,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer authenticator.Close()

	description, err := authenticator.Describe()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(description.Window, description.Guard.Scope, description.Guard.BaseDelay)
	// Output:
	// {0 0} machine 1m0s
}

// With the guard StoreNone, your database keeps the last step: "UPDATE users SET last_step = :step WHERE
// id = :id AND last_step < :step", and with 0 changed rows somebody else was faster with the same code.
func ExampleAuthenticator_Verify_lastStep() {
	authenticator, err := factor2.New(factor2.Config{
		Issuer:    "Example",
		Guard:     &factor2.Guard{Store: factor2.StoreNone},
		FixedTime: time.Unix(1_800_000_000, 0),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer authenticator.Close()

	login := factor2.VerifyRequest{TOTPSecret: "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q", OTP: "967967"}
	verification, err := authenticator.Verify(login)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accepted, store", verification.Step)

	login.LastStep = &verification.Step
	_, err = authenticator.Verify(login)
	fmt.Println(errors.Is(err, factor2.ErrTokenReused))
	// Output:
	// accepted, store 60000000
	// true
}
