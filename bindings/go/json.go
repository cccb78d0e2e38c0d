//go:build cgo

package factor2

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// Gives a request's or a config's JSON.
func encode(request any) ([]byte, error) {
	// encoding/json would put U+FFFD in the place of bytes that are not UTF-8: another name, another path.
	if !isUTF8(reflect.ValueOf(request)) {
		return nil, newError(ErrBadRequest, "not UTF-8")
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, newError(ErrBadRequest, "cannot be written as JSON")
	}
	return text, nil
}

// Whether all texts that encoding/json would write are UTF-8.
func isUTF8(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return utf8.ValidString(value.String())
	case reflect.Pointer, reflect.Interface:
		return value.IsNil() || isUTF8(value.Elem())
	case reflect.Slice:
		for i := 0; i < value.Len(); i++ {
			if !isUTF8(value.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			written := value.Type().Field(i).Tag.Get("json") != "-"
			if written && !isUTF8(value.Field(i)) {
				return false
			}
		}
	}
	return true
}

// Reads a response's JSON. Members that response does not have are ignored.
func decode(text []byte, response any) error {
	if json.Unmarshal(text, response) != nil {
		// Not the decoder's message: it may quote the response.
		return newError(ErrUnknownError, "the library's response is not what its header says")
	}
	return nil
}
