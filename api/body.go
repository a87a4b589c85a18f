package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// The bounds of a request's body. A stranger may send one, to log in: what it
// costs once it is decoded is many times what it costs to send, so that its
// values are counted before.
const (
	mostBody       = 16 << 10             // bytes
	mostMethodBody = 4 * sso.MostMetadata // of an authentication method: its metadata, escaped, and the rest
	mostGroupBody  = 64 << 10             // of a group: its description, escaped, or 1,024 ids
	mostValues     = 2000                 // texts, numbers, lists and objects, together
	mostNesting    = 16

	// mostDrained is how much of a longer body is received, and thrown away,
	// before it is refused.
	mostDrained = 16 << 20

	// mostDecoding is how many bodies are decoded at once, and decodingWait
	// how long one waits for that.
	mostDecoding = 32
	decodingWait = time.Second
)

// A longInput is an operation's input whose body may have more than mostBody
// bytes.
type longInput interface{ mostBody() int }

// mostBodyOf gives how many bytes the body of an operation with this input may
// have.
func mostBodyOf(input any) int {
	if long, ok := input.(longInput); ok {
		return long.mostBody()
	}
	return mostBody
}

// readBody reads a body, whatever its content type says: avn calls bodies of
// its own octet streams. No body, or blanks alone, is an empty object.
func readBody(r *http.Request, most int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if err != nil {
		return nil, fault.Invalid.Errorf("The request's body did not arrive whole.").At("body").Because(err)
	}
	if len(body) > most {
		// Many clients read no answer before they have sent everything: a
		// connection that is closed on them hides why.
		_, _ = io.CopyN(io.Discard, r.Body, mostDrained)
		return nil, fault.TooLarge.Errorf("This request has at most %d bytes.", most).At("body")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return []byte("{}"), nil
	}
	if err := checkSize(body); err != nil {
		return nil, err
	}
	return body, nil
}

// checkBody refuses what is not JSON, or holds bad text.
func checkBody(body []byte) error {
	if err := checkText(body); err != nil {
		return err
	}
	if !json.Valid(body) {
		return fault.Invalid.Errorf("The request's body is not JSON.").At("body")
	}
	return nil
}

// checkSize bounds what a body becomes once it is decoded. It looks at bytes
// alone and is right for JSON; what is no JSON is refused afterwards.
func checkSize(body []byte) error {
	values, depth := 1, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = endOfText(body, i)
		case ',':
			values++
		case '[', '{':
			values++ // the first value inside
			depth++
		case ']', '}':
			depth--
		}
		if depth > mostNesting {
			return fault.Invalid.Errorf("The request's body is nested more than %d deep.", mostNesting).At("body")
		}
		if values > mostValues {
			return fault.Invalid.Errorf("The request's body holds more than %d values.", mostValues).At("body")
		}
	}
	return nil
}

// endOfText gives where the text that begins at start ends.
func endOfText(body []byte, start int) int {
	for i := start + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(body)
}
