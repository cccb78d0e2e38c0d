package factor2_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"factor2"
)

// The list of cases that all bindings share; its README says how it is read.
type caseList struct {
	Statuses []struct {
		Status     factor2.Status `json:"status"`
		Name       string         `json:"name"`
		HTTPStatus int            `json:"http_status"`
	} `json:"statuses"`
	Cases []struct {
		Name   string     `json:"name"`
		Config caseConfig `json:"config"`
		Error  *caseError `json:"error"`
		Close  bool       `json:"close"`
		Steps  []caseStep `json:"steps"`
	} `json:"cases"`
}

type caseConfig struct {
	factor2.Config
	Period    int64      `json:"period"`
	Guard     *caseGuard `json:"guard"`
	FixedTime *int64     `json:"fixed_time"`
}

func (config *caseConfig) settings() factor2.Config {
	settings := config.Config
	settings.Period = time.Duration(config.Period) * time.Second
	if config.Guard != nil {
		settings.Guard = config.Guard.settings()
	}
	if config.FixedTime != nil {
		settings.FixedTime = time.Unix(*config.FixedTime, 0)
	}
	return settings
}

type caseGuard struct {
	factor2.Guard
	Retry *struct {
		TTL   int64 `json:"ttl_s"`
		Limit int   `json:"limit"`
	} `json:"retry"`
}

func (guard *caseGuard) settings() *factor2.Guard {
	settings := guard.Guard
	if guard.Retry != nil {
		settings.Retry = &factor2.Retry{TTL: time.Duration(guard.Retry.TTL) * time.Second, Limit: guard.Retry.Limit}
	}
	return &settings
}

type caseStep struct {
	Call     string         `json:"call"`
	Request  any            `json:"request"`
	Response map[string]any `json:"response"`
	Error    *caseError     `json:"error"`
	Data     string         `json:"data"`
}

type caseError struct {
	Code       string `json:"code"`
	HTTPStatus int    `json:"http_status"`
	RetryAfter int64  `json:"retry_after_s"`
}

var startOfData = map[string]string{"": "", "png": "\x89PNG\r\n\x1a\n", "svg": "<svg ", "text": "█"}

func readCases(t *testing.T) caseList {
	t.Helper()
	text, err := os.ReadFile("../cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases caseList
	decodeStrictly(t, text, &cases)
	if len(cases.Cases) == 0 || len(cases.Statuses) == 0 {
		t.Fatal("no cases")
	}
	return cases
}

func TestCases(t *testing.T) {
	for _, c := range readCases(t).Cases {
		c := c
		t.Run(c.Name, func(t *testing.T) {
			authenticator, err := factor2.New(c.Config.settings())
			if c.Error != nil {
				c.Error.check(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer authenticator.Close()
			if c.Close {
				authenticator.Close()
			}
			for i, step := range c.Steps {
				request := encodeJSON(t, spelledOut(step.Request))
				response, data, err := call(t, authenticator, step.Call, request)
				if step.Error != nil {
					step.Error.check(t, err)
					keepsQuiet(t, err, request)
					continue
				}
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				if !matches(response, step.Response) {
					t.Errorf("step %d: %v is not %v", i, response, step.Response)
				}
				if start := startOfData[step.Data]; (start == "") != (len(data) == 0) || !bytes.HasPrefix(data, []byte(start)) {
					t.Errorf("step %d: %.8q is no %s", i, data, step.Data)
				}
			}
		})
	}
}

// Makes a case's call through the typed API. Gives its response as the header has it.
func call(t *testing.T, authenticator *factor2.Authenticator, name string, request []byte) (any, []byte, error) {
	t.Helper()
	var secret factor2.SecretRequest
	switch name {
	case "describe":
		description, err := authenticator.Describe()
		if err != nil {
			return nil, nil, err
		}
		response := responseOf(t, description)
		response["period"] = description.Period.Seconds()
		return response, nil, nil
	case "create_secret":
		var typed factor2.CreateSecretRequest
		decodeStrictly(t, request, &typed)
		made, err := authenticator.CreateSecret(typed)
		if err != nil {
			return nil, nil, err
		}
		return responseOf(t, made), made.PNG, nil
	case "qr":
		var typed factor2.QRRequest
		decodeStrictly(t, request, &typed)
		picture, err := authenticator.QR(typed)
		if err != nil {
			return nil, nil, err
		}
		return responseOf(t, picture), picture.Data, nil
	case "prepare_configuration":
		var typed struct{ User struct{ Username string } }
		decodeStrictly(t, request, &typed)
		configuration, err := authenticator.PrepareConfiguration(typed.User.Username)
		return responseOf(t, configuration), nil, err
	case "reprepare_configuration":
		var typed struct {
			Username   string
			SessionKey struct{ Data string }
		}
		decodeStrictly(t, request, &typed)
		reconfiguration, err := authenticator.ReprepareConfiguration(typed.Username, typed.SessionKey.Data)
		return responseOf(t, reconfiguration), nil, err
	case "verify":
		verification, err := authenticator.Verify(verifyRequest(t, request))
		if err != nil {
			return nil, nil, err
		}
		response := responseOf(t, verification)
		response["accepted"] = true
		return response, nil, nil
	case "resync":
		var typed factor2.ResyncRequest
		decodeStrictly(t, request, &typed)
		verification, err := authenticator.Resync(typed)
		if err != nil {
			return nil, nil, err
		}
		response := responseOf(t, verification)
		response["accepted"] = true
		return response, nil, nil
	case "diagnose":
		var typed factor2.DiagnoseRequest
		decodeStrictly(t, request, &typed)
		return diagnose(t, authenticator, typed)
	case "read_uri":
		var typed struct{ URI string }
		decodeStrictly(t, request, &typed)
		read, err := authenticator.ReadURI(typed.URI)
		if err != nil {
			return nil, nil, err
		}
		response := responseOf(t, read)
		response["period"] = read.Period.Seconds()
		return response, nil, nil
	case "inspect", "reset":
		return callRecord(t, authenticator, name, request)
	case "seal":
		decodeStrictly(t, request, &secret)
		sealed, err := authenticator.Seal(secret)
		return responseOf(t, sealed), nil, err
	case "create_recovery_codes":
		var typed struct{ Count int }
		decodeStrictly(t, request, &typed)
		set, err := authenticator.CreateRecoveryCodes(typed.Count)
		return responseOf(t, set), nil, err
	case "verify_recovery_code":
		typed := struct {
			factor2.VerifyRecoveryCodeRequest
			Recovery *string
		}{}
		decodeStrictly(t, request, &typed)
		if typed.Recovery == nil {
			typed.Nobody = true
		} else {
			typed.VerifyRecoveryCodeRequest.Recovery = *typed.Recovery
		}
		verification, err := authenticator.VerifyRecoveryCode(typed.VerifyRecoveryCodeRequest)
		if err != nil {
			return nil, nil, err
		}
		response := responseOf(t, verification)
		response["accepted"] = true
		return response, nil, nil
	case "import":
		var typed factor2.ImportRequest
		decodeStrictly(t, request, &typed)
		imported, err := authenticator.Import(typed)
		return responseOf(t, imported), nil, err
	case "generate":
		decodeStrictly(t, request, &secret)
		code, err := authenticator.Generate(secret)
		if err != nil {
			return nil, nil, err
		}
		response := map[string]any{"otp": code.OTP, "valid_for_s": code.ValidFor.Seconds()}
		if code.Counter != nil {
			response["counter"] = float64(*code.Counter)
		}
		return response, nil, nil
	}
	t.Fatalf("there is no operation %q", name)
	return nil, nil, nil
}

func diagnose(t *testing.T, authenticator *factor2.Authenticator, request factor2.DiagnoseRequest) (any, []byte, error) {
	t.Helper()
	diagnosis, err := authenticator.Diagnose(request)
	if err != nil {
		return nil, nil, err
	}
	findings := []any{}
	for _, finding := range diagnosis.Findings {
		found := responseOf(t, finding)
		found["drift_s"] = finding.DriftTime.Seconds()
		found["period"] = finding.Period.Seconds()
		found["retry_after_s"] = finding.RetryAfter.Seconds()
		findings = append(findings, found)
	}
	return map[string]any{"right": diagnosis.Right, "findings": findings}, nil, nil
}

// A secret may be a text, several, or null for nobody; the last step and the drift may be several.
func verifyRequest(t *testing.T, request []byte) factor2.VerifyRequest {
	t.Helper()
	var typed struct {
		factor2.VerifyRequest
		TOTPSecret any             `json:"totpsecret"`
		LastStep   json.RawMessage `json:"last_step"`
		Drift      json.RawMessage `json:"drift"`
		RetryKey   string          `json:"retry_key"`
	}
	decodeStrictly(t, request, &typed)
	full := typed.VerifyRequest
	full.RetryKey = typed.RetryKey
	switch secret := typed.TOTPSecret.(type) {
	case string:
		full.TOTPSecret = secret
	case nil:
		full.Nobody = true
	case []any:
		for _, each := range secret {
			full.TOTPSecrets = append(full.TOTPSecrets, each.(string))
		}
	}
	switch {
	case bytes.HasPrefix(typed.LastStep, []byte("[")):
		decodeStrictly(t, typed.LastStep, &full.LastSteps)
	case typed.LastStep != nil:
		decodeStrictly(t, typed.LastStep, &full.LastStep)
	}
	switch {
	case bytes.HasPrefix(typed.Drift, []byte("[")):
		decodeStrictly(t, typed.Drift, &full.Drifts)
	case typed.Drift != nil:
		decodeStrictly(t, typed.Drift, &full.Drift)
	}
	return full
}

func callRecord(t *testing.T, authenticator *factor2.Authenticator, name string, request []byte) (any, []byte, error) {
	t.Helper()
	var typed struct {
		factor2.SecretRequest
		Recovery string
	}
	decodeStrictly(t, request, &typed)
	response := map[string]any{"locked_until": 0.0}
	var lockedUntil time.Time
	if typed.Recovery != "" {
		operation := authenticator.InspectRecoveryCodes
		if name == "reset" {
			operation = authenticator.ResetRecoveryCodes
		}
		record, err := operation(typed.Recovery)
		if err != nil {
			return nil, nil, err
		}
		used := []any{}
		for _, number := range record.Used {
			used = append(used, float64(number))
		}
		response["used"], response["remaining"] = used, float64(record.Remaining)
		response["failures"], response["disabled"] = float64(record.Failures), record.Disabled
		lockedUntil = record.LockedUntil
	} else {
		operation := authenticator.Inspect
		if name == "reset" {
			operation = authenticator.Reset
		}
		record, err := operation(typed.SecretRequest)
		if err != nil {
			return nil, nil, err
		}
		response["last_step"] = nil
		if record.LastStep != nil {
			response["last_step"] = float64(*record.LastStep)
		}
		response["failures"], response["disabled"] = float64(record.Failures), record.Disabled
		lockedUntil = record.LockedUntil
	}
	if !lockedUntil.IsZero() {
		response["locked_until"] = float64(lockedUntil.Unix())
	}
	return response, nil, nil
}

func (expected *caseError) check(t *testing.T, err error) {
	t.Helper()
	var details *factor2.Error
	if !errors.As(err, &details) {
		t.Fatalf("%v is not %s", err, expected.Code)
	}
	if details.Code != expected.Code || !errors.Is(err, sentinels[expected.Code]) {
		t.Errorf("%v is not %s", err, expected.Code)
	}
	if expected.HTTPStatus != 0 && details.HTTPStatus != expected.HTTPStatus {
		t.Errorf("%v has the HTTP status %d", err, details.HTTPStatus)
	}
	if expected.RetryAfter != int64(details.RetryAfter/time.Second) {
		t.Errorf("%v has to wait %v", err, details.RetryAfter)
	}
	if details.Message == "" || details.Message == "no further details" {
		t.Errorf("%v has no message", err)
	}
}

// No error repeats what could be a secret or a code.
func keepsQuiet(t *testing.T, err error, request []byte) {
	t.Helper()
	words := strings.FieldsFunc(string(request), func(c rune) bool { return !strings.ContainsRune(wordCharacters, c) })
	for _, word := range words {
		if len(word) >= 6 && word == strings.ToUpper(word) && strings.Contains(err.Error(), word) {
			t.Errorf("%v repeats %s", err, word)
		}
	}
}

const wordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Whether a response has what a case expects of it: the members that are named.
func matches(response, expected any) bool {
	switch expected := expected.(type) {
	case map[string]any:
		text, _ := response.(string)
		if prefix, ok := expected["$prefix"].(string); ok {
			return strings.HasPrefix(text, prefix)
		}
		if length, ok := expected["$length"].(float64); ok {
			return utf8.RuneCountInString(text) == int(length)
		}
		members, ok := response.(map[string]any)
		for name, value := range expected {
			member, there := members[name]
			ok = ok && there && matches(member, value)
		}
		return ok
	case []any:
		items, ok := response.([]any)
		ok = ok && len(items) == len(expected)
		for i := 0; ok && i < len(items); i++ {
			ok = matches(items[i], expected[i])
		}
		return ok
	}
	return reflect.DeepEqual(response, expected)
}

// A request with its {"$repeat":[text,n]} written out.
func spelledOut(request any) any {
	members, ok := request.(map[string]any)
	if !ok {
		return request
	}
	if repeat, ok := members["$repeat"].([]any); ok {
		return strings.Repeat(repeat[0].(string), int(repeat[1].(float64)))
	}
	for name, value := range members {
		members[name] = spelledOut(value)
	}
	return members
}

// A typed response under the header's names.
func responseOf(t *testing.T, typed any) map[string]any {
	t.Helper()
	var response map[string]any
	if err := json.Unmarshal(encodeJSON(t, typed), &response); err != nil {
		t.Fatal(err)
	}
	return response
}

func encodeJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Members that nobody reads would be cases that are not tried.
func decodeStrictly(t *testing.T, text []byte, value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		t.Fatal(err)
	}
}
