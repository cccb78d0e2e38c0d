package factor2_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"factor2"
)

func TestZeroSettingsAreTheDefaults(t *testing.T) {
	description, err := newAuthenticator(t, factor2.Config{}).Describe()
	if err != nil {
		t.Fatal(err)
	}
	capabilities := map[string]bool{"can_create_user": true, "can_update_user": true, "can_update_secrets": false}
	expected := &factor2.Description{
		Version: factor2.Version(), MFAType: "otp", MFAChannel: "none", FriendlyName: "Authenticator app",
		SecretNames: []string{"totpsecret"}, TransientSecretNames: []string{"otp"}, CanCreateUser: true,
		CanUpdateUser: true, Capabilities: capabilities, RequireUserEntry: true,
		Issuer: "Example", Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
		Window: factor2.Window{Past: 1, Future: 1}, LookAhead: 10, SecretBytes: 20, FixedTime: then,
		QR: factor2.QRDescription{ModulePx: 10, QuietZone: 5, ErrorCorrection: "M", Dark: "#000000", Light: "#ffffff"},
		Guard: factor2.GuardDescription{Store: "memory", Scope: "process", Soft: 5, Hard: 33,
			BaseDelay: 30 * time.Second, MaxDelay: time.Hour},
	}
	if !reflect.DeepEqual(description, expected) {
		t.Errorf("%+v\nis not\n%+v", description, expected)
	}
}

func TestEverySettingArrives(t *testing.T) {
	noQuietZone := 0
	description, err := newAuthenticator(t, factor2.Config{
		Issuer: "Shop", FactorName: "totp", FriendlyName: "App", Algorithm: "SHA512", Digits: 8, Period: time.Minute,
		Window: &factor2.Window{}, LookAhead: 50, SecretBytes: 32, FixedTime: time.Unix(0, 0),
		QR: factor2.QR{ModulePx: 3, QuietZone: &noQuietZone, ErrorCorrection: "H", Dark: "#102030", Light: "#fefefe",
			Logo: picture(t, 16, 16)},
		Guard: &factor2.Guard{Store: factor2.StoreMemory, Soft: 2, Hard: 7, BaseDelay: 2 * time.Second,
			MaxDelay: time.Minute, MaxRecords: 10},
	}).Describe()
	if err != nil {
		t.Fatal(err)
	}
	qr := factor2.QRDescription{ModulePx: 3, ErrorCorrection: "H", Dark: "#102030", Light: "#fefefe", Logo: true}
	guard := factor2.GuardDescription{Store: "memory", Scope: "process", Soft: 2, Hard: 7, BaseDelay: 2 * time.Second,
		MaxDelay: time.Minute}
	got := *description
	if got.Issuer != "Shop" || got.FactorName != "totp" || got.FriendlyName != "App" || got.Algorithm != "SHA512" ||
		got.Digits != 8 || got.Period != time.Minute || got.Window != (factor2.Window{}) || got.LookAhead != 50 || got.SecretBytes != 32 ||
		!got.FixedTime.Equal(time.Unix(0, 0)) || got.QR != qr || got.Guard != guard {
		t.Errorf("%+v", got)
	}
}

func TestEveryStoreTakesItsSettings(t *testing.T) {
	path := filepath.Join(privateFolder(t), "factor2.db")
	sqlite := factor2.Guard{Store: factor2.StoreSQLite, Path: path, Create: true, Synchronous: "NORMAL",
		Group: "trust", FileSystem: "trust",
		Budget: 1500 * time.Millisecond, Soft: 3, Hard: 4, BaseDelay: time.Second, MaxDelay: time.Minute}
	description, err := newAuthenticator(t, factor2.Config{Guard: &sqlite}).Describe()
	if err != nil || description.Guard.Scope != "machine" {
		t.Error(description, err)
	}
	// Nothing listens there, and that is found out only after all settings were read.
	cluster := []string{"rediss://user:word@127.0.0.1:1", "rediss://user:word@127.0.0.1:2"}
	for _, guard := range []factor2.Guard{
		{Store: factor2.StoreRedis, URLs: []string{"redis://127.0.0.1:1/3"}, Prefix: "mine:", MaxConnections: 7, Budget: 10 * time.Millisecond},
		{Store: factor2.StoreRedis, URLs: cluster, CAFile: "/etc/ssl/certs/ca-certificates.crt"},
		{Store: factor2.StoreRedis, URLs: []string{"rediss-sentinel://127.0.0.1:1,127.0.0.1:2/main"}, CAFile: "system",
			SentinelUser: "user", SentinelPassword: "word"},
		{Store: factor2.StoreSQLite, Path: filepath.Join(privateFolder(t), "missing.db")},
	} {
		authenticator, err := factor2.New(factor2.Config{Issuer: "Example", Guard: &guard, FixedTime: then})
		if err == nil {
			_, err = authenticator.Verify(login)
			authenticator.Close()
		}
		if !errors.Is(err, factor2.ErrStoreUnavailable) {
			t.Errorf("%+v: %v", guard, err)
		}
	}
}

// What a node of a cluster answers to whoever asks the wrong one.
func redirecting(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				request := make([]byte, 65536)
				for {
					if _, err := client.Read(request); err != nil {
						return
					}
					client.Write([]byte("-MOVED 1 127.0.0.1:1\r\n"))
				}
			}()
		}
	}()
	return "redis://" + listener.Addr().String()
}

func TestOneURLIsThatOfAServerOrOfAClustersNode(t *testing.T) {
	urls := []string{redirecting(t)}
	for cluster, message := range map[bool]string{
		false: "\"url\" must be an array",
		true:  "an address that the cluster named",
	} {
		guard := factor2.Guard{Store: factor2.StoreRedis, URLs: urls, Cluster: cluster}
		_, err := newAuthenticator(t, factor2.Config{Guard: &guard}).Verify(login)
		if !errors.Is(err, factor2.ErrStoreUnavailable) || !strings.Contains(err.Error(), message) {
			t.Errorf("%t: %v", cluster, err)
		}
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	guard := func(guard factor2.Guard) factor2.Config {
		return factor2.Config{Issuer: "Example", Guard: &guard}
	}
	sqlite := factor2.Guard{Store: factor2.StoreSQLite, Path: "/nowhere/x", Budget: time.Microsecond}
	redis := func(url string, guard factor2.Guard) factor2.Guard {
		guard.Store, guard.URLs = factor2.StoreRedis, []string{url}
		return guard
	}
	for _, c := range []struct {
		config factor2.Config
		name   string
	}{
		{factor2.Config{}, "config.issuer"},
		{factor2.Config{Issuer: "Example", Period: 30}, "config.period"},
		{factor2.Config{Issuer: "Example", Period: 30500 * time.Millisecond}, "config.period"},
		{factor2.Config{Issuer: "Example", Period: -30 * time.Second}, "config.period"},
		{factor2.Config{Issuer: "Example", Digits: -1}, "config.digits"},
		{factor2.Config{Issuer: "Example", FixedTime: time.Unix(-1, 0)}, "config.fixed_time"},
		{guard(factor2.Guard{}), "config.guard.store"},
		{guard(factor2.Guard{Store: factor2.StoreMemory, Path: "/nowhere/x"}), `unknown member "path"`},
		{guard(factor2.Guard{Store: factor2.StoreMemory, BaseDelay: 30}), "config.guard.base_delay_s"},
		{guard(sqlite), "config.guard.budget_ms"},
		{guard(redis("rediss://host", factor2.Guard{CAFile: "system", CertFile: "/nowhere/x"})), "config.guard.key_file"},
		{guard(redis("rediss://host", factor2.Guard{CAFile: "system", KeyFile: "/nowhere/x"})), "config.guard.cert_file"},
		{guard(redis("redis-sentinel://host/main", factor2.Guard{SentinelUser: "user"})), "config.guard.sentinel_password"},
	} {
		_, err := factor2.New(c.config)
		if !errors.Is(err, factor2.ErrConfiguration) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// encoding/json would replace such bytes, and another name would be enrolled, another file opened.
func TestTextsThatAreNotUTF8AreRefused(t *testing.T) {
	authenticator := newAuthenticator(t, factor2.Config{FactorName: "totp"})
	odd := "b\xffb"
	for name, call := range map[string]func() (any, error){
		"CreateSecret": func() (any, error) {
			return authenticator.CreateSecret(factor2.CreateSecretRequest{Username: odd})
		},
		"QR": func() (any, error) {
			return authenticator.QR(factor2.QRRequest{Username: odd, TOTPSecret: secret})
		},
		"PrepareConfiguration": func() (any, error) { return authenticator.PrepareConfiguration(odd) },
		"Verify": func() (any, error) {
			return authenticator.Verify(factor2.VerifyRequest{TOTPSecret: secret, OTP: odd})
		},
		"Inspect": func() (any, error) { return authenticator.Inspect(factor2.SecretRequest{TOTPSecret: odd}) },
		"Issuer":  func() (any, error) { return factor2.New(factor2.Config{Issuer: odd}) },
		"Dark":    func() (any, error) { return factor2.New(factor2.Config{Issuer: "b", QR: factor2.QR{Dark: odd}}) },
		"Path": func() (any, error) {
			guard := factor2.Guard{Store: factor2.StoreSQLite, Path: odd, Create: true}
			return factor2.New(factor2.Config{Issuer: "b", Guard: &guard})
		},
		"URLs": func() (any, error) {
			guard := factor2.Guard{Store: factor2.StoreRedis, URLs: []string{odd}}
			return factor2.New(factor2.Config{Issuer: "b", Guard: &guard})
		},
	} {
		if _, err := call(); !errors.Is(err, factor2.ErrBadRequest) || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := authenticator.CreateSecret(factor2.CreateSecretRequest{Username: "b\uFFFDb <&> \u2028"}); err != nil {
		t.Error(err)
	}
}

// A folder that only its owner may write, as the sqlite store wants it.
func privateFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
