package factor2_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"

	"factor2"
)

func TestThePictureIsAPNG(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{FactorName: "totp"})
	picture, err := authenticator.QR(factor2.QRRequest{Username: "bob", TOTPSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(picture.Data))
	if err != nil {
		t.Fatal(err)
	}
	size := decoded.Bounds().Size()
	if size.X != picture.Width || size.Y != picture.Height || size.X == 0 {
		t.Error(size, picture.Width, picture.Height)
	}
	if picture.Format != factor2.FormatPNG || picture.MediaType != "image/png" {
		t.Error(picture.Format, picture.MediaType)
	}

	made, err := authenticator.CreateSecret(factor2.CreateSecretRequest{Username: "bob", TOTPSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	inURI, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.QR, "data:image/png;base64,"))
	if err != nil || !bytes.Equal(inURI, made.PNG) || !bytes.Equal(made.PNG, picture.Data) {
		t.Error("the pictures differ", err)
	}
	if made.URI != picture.URI {
		t.Error(made.URI, picture.URI)
	}
}

func TestThePictureForATerminalIsText(t *testing.T) {
	request := factor2.QRRequest{Username: "bob", TOTPSecret: secret, Format: factor2.FormatText}
	picture, err := newAuthenticator(t, factor2.Config{}).QR(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(picture.Data), "\n"), "\n")
	if len(lines) != picture.Height || utf8.RuneCountInString(lines[0]) != picture.Width {
		t.Error(len(lines), picture.Width, picture.Height)
	}
	if picture.Format != factor2.FormatText || picture.MediaType != "text/plain; charset=utf-8" {
		t.Error(picture.Format, picture.MediaType)
	}
}

func TestASecretOfLessThan128BitsComesWithAWarning(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	const short = "GEZDGNBVGY3TQOJQ"
	code, err := authenticator.Generate(factor2.SecretRequest{TOTPSecret: short})
	if err != nil || len(code.Warnings) != 1 {
		t.Fatal(code, err)
	}
	picture, err := authenticator.QR(factor2.QRRequest{Username: "bob", TOTPSecret: short})
	if err != nil || len(picture.Warnings) != 1 {
		t.Error(err)
	}
	made, err := authenticator.CreateSecret(factor2.CreateSecretRequest{Username: "bob", TOTPSecret: short})
	if err != nil || len(made.Warnings) != 1 {
		t.Error(err)
	}
	again, err := authenticator.ReprepareConfiguration("bob", `{"2fa":{"totpsecret":"`+short+`","factor2":"totp"}}`)
	if err != nil || len(again.Warnings) != 1 {
		t.Error(err)
	}
	verification, err := authenticator.Verify(factor2.VerifyRequest{TOTPSecret: short, OTP: code.OTP})
	if err != nil || len(verification.Warnings) != 1 {
		t.Error(err)
	}
}

func TestWithoutACodeOrASecretNobodyGetsIn(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{})
	for _, request := range []factor2.VerifyRequest{{}, {TOTPSecret: secret}, {OTP: "967967"}} {
		if verification, err := authenticator.Verify(request); verification != nil || !errors.Is(err, factor2.ErrInvalidToken) {
			t.Errorf("%+v: %v", request, err)
		}
	}
}

func TestACredentialThatWasNeverTriedHasAZeroRecord(t *testing.T) {
	record, err := newAuthenticator(t, factor2.Config{}).Inspect(factor2.SecretRequest{TOTPSecret: secret})
	if err != nil || *record != (factor2.Record{}) {
		t.Errorf("%+v: %v", record, err)
	}
}
