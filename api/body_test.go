package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/sso"
)

func TestBodiesAreCountedBeforeTheyAreDecoded(t *testing.T) {
	list := func(n int, item string) string { return "[" + strings.Repeat(item+",", n-1) + item + "]" }
	for name, c := range map[string]struct {
		body  string
		taken bool
	}{
		"nothing inside":             {`{}`, true},
		"all values":                 {list(mostValues-1, "1"), true},
		"a value too many":           {list(mostValues, "1"), false},
		"all nesting":                {strings.Repeat("[", mostNesting) + strings.Repeat("]", mostNesting), true},
		"one deeper":                 {strings.Repeat("[", mostNesting+1) + strings.Repeat("]", mostNesting+1), false},
		"lists beside each other":    {list(900, "[]"), true},
		"commas in a text":           {`"` + strings.Repeat(",[{", 5_000) + `"`, true},
		"commas after an escape":     {`"\"` + strings.Repeat(",", 5_000) + `"`, true},
		"commas after a backslash":   {`["\\"` + strings.Repeat(",1", 5_000) + `]`, false},
		"a text without end":         {`"` + strings.Repeat(",", 5_000), true},
		"a text that ends in escape": {`"` + strings.Repeat(",", 5_000) + `\`, true},
		"ends without a start":       {strings.Repeat("]", 5_000) + strings.Repeat("[", 3_000), false},
	} {
		if err := checkSize([]byte(c.body)); (err == nil) != c.taken {
			t.Errorf("%s: got %v, want taken %v", name, err, c.taken)
		}
	}
}

func TestABodyMayHaveAllItsBytes(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	method := "/v1/account/" + accountID + "/authentication/" + w.method(t, ann, accountID)
	for target, most := range map[string]int{"PATCH /v1/me": 16 << 10, "PUT " + method: 1 << 20} {
		verb, path, _ := strings.Cut(target, " ")
		for n, status := range map[int]int{most: http.StatusOK, most + 1: http.StatusRequestEntityTooLarge} {
			if r := w.as(t, ann, verb, path, "{}"+strings.Repeat(" ", n-2)); r.status != status {
				t.Errorf("%s, %d bytes: got status %d, want %d", target, n, r.status, status)
			}
		}
	}
}

// TestMetadataMayHaveAllItsBytes takes what the console's form takes.
func TestMetadataMayHaveAllItsBytes(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	path := "/v1/account/" + accountID + "/authentication/" + w.method(t, ann, accountID)
	idp, err := demoidp.New("https://idp.acme.example")
	if err != nil {
		t.Fatal(err)
	}
	metadata := string(idp.Metadata())
	for n, status := range map[int]int{sso.MostMetadata: http.StatusOK, sso.MostMetadata + 1: http.StatusBadRequest} {
		// Many clients write < as six bytes of JSON.
		fill := n - len(metadata) - len("<!---->")
		filled := metadata + "<!--" + strings.Repeat("<xx", n)[:fill] + "-->"
		body, err := json.Marshal(map[string]string{"saml_idp_metadata": filled})
		if err != nil {
			t.Fatal(err)
		}
		if r := w.as(t, ann, "PUT", path, string(body)); r.status != status {
			t.Errorf("%d bytes: got status %d, want %d", n, r.status, status)
		}
	}
}

// TestOnlySoManyBodiesAreDecodedAtOnce takes all the slots, as a flood would.
func TestOnlySoManyBodiesAreDecodedAtOnce(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	*w.built.decoding = *limit.NewSlots(1, time.Nanosecond)
	leave, err := w.built.decoding.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := w.as(t, ann, "PATCH", "/v1/me", `{"city":"Oslo"}`)
	if item := r.needFailure(t, http.StatusServiceUnavailable); item["error_code"] != "service_unavailable" || r.header.Get("Retry-After") == "" {
		t.Errorf("got %s, Retry-After %q", r.body, r.header.Get("Retry-After"))
	}
	w.as(t, ann, "GET", "/v1/me", "").need(t, http.StatusOK) // needs no slot
	leave()
	// However it ends, a request gives its slot back.
	for range 3 {
		w.as(t, ann, "PATCH", "/v1/me", `{"city":"Oslo"}`).need(t, http.StatusOK)
		w.as(t, ann, "PATCH", "/v1/me", `{"city":[]}`).needFailure(t, http.StatusBadRequest)
		w.as(t, ann, "PATCH", "/v1/me", `{"city"`).needFailure(t, http.StatusBadRequest)
	}
}

type slowInput struct {
	Body struct {
		Wait bool `json:"wait,omitempty"`
	}
}

type slowAnswer struct {
	Done bool `json:"done"`
}

// slow adds an operation to a world that goes on until a test lets it.
func (w *world) slow(t *testing.T, do func(context.Context) error) {
	t.Helper()
	add(w.built, operation{"Slow", http.MethodPost, "/v1/slow", "Take long", account.Anyone}, func(ctx context.Context, _ gate.Visit, _ *slowInput) (*slowAnswer, error) {
		return &slowAnswer{true}, do(ctx)
	})
	add(w.built, operation{"SlowGet", http.MethodGet, "/v1/slow", "Take long", account.Anyone}, func(ctx context.Context, _ gate.Visit, _ *struct{}) (*slowAnswer, error) {
		return &slowAnswer{true}, do(ctx)
	})
}

// TestAnOperationMayTakeLongerThanItsRequest has a server that gives requests
// 50 ms to arrive, and operations that go on until well after that.
func TestAnOperationMayTakeLongerThanItsRequest(t *testing.T) {
	const deadline = 50 * time.Millisecond
	w := newWorld(t)
	w.slow(t, func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(4 * deadline):
			return nil
		}
	})
	server := httptest.NewUnstartedServer(w.handler)
	server.Config.ReadTimeout = deadline
	server.Start()
	defer server.Close()
	for _, verb := range []string{http.MethodPost, http.MethodGet} {
		request, err := http.NewRequestWithContext(t.Context(), verb, server.URL+"/v1/slow", nil)
		if err != nil {
			t.Fatal(err)
		}
		if verb == http.MethodPost {
			request.Body = http.NoBody
		}
		r, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: got status %d, want 200; log:\n%s", verb, r.StatusCode, w.log)
		}
	}
}

// A deadlineRecorder notes the deadlines that are set on the connection.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (r *deadlineRecorder) SetReadDeadline(at time.Time) error {
	r.set = append(r.set, at)
	return nil
}

// TestNoOperationSetsADeadline holds every operation to what the server gives
// requests: a deadline that is set here passes while the operation works.
func TestNoOperationSetsADeadline(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	for _, op := range w.built.operations {
		r := httptest.NewRequest(op.Method, fill(op.Path, organization, accountID, method), strings.NewReader(""))
		r.Header.Set("Authorization", "Bearer "+ann)
		rec := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
		w.handler.ServeHTTP(rec, r)
		if rec.Code == http.StatusUnauthorized {
			continue // it came after the one that logs out
		}
		if len(rec.set) == 0 {
			t.Errorf("%s: the server's own deadline stays", op.ID)
		}
		for _, at := range rec.set {
			if !at.IsZero() {
				t.Errorf("%s: sets a deadline", op.ID)
			}
		}
	}
}

func TestStoppedWorkIsNoMistakeOfOurs(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		err    error
		status int
		level  string
	}{
		{"stopped, and the client is there", t.Context(), context.Canceled, 503, "WARN"},
		{"out of time, and the client is there", t.Context(), fmt.Errorf("add user: %w", context.DeadlineExceeded), 503, "WARN"},
		{"out of the request's time", late, context.DeadlineExceeded, 503, "WARN"},
		{"the client went away", gone, fmt.Errorf("add user: %w", context.Canceled), 503, "DEBUG"},
		{"a mistake of ours", t.Context(), errors.New("broken"), 500, "ERROR"},
		{"a mistake of ours, out of time", late, errors.New("broken"), 500, "ERROR"},
		{"a fault of its own", t.Context(), fault.Unavailable.Errorf("Busy.").Because(context.DeadlineExceeded), 503, "WARN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			f := w.failed(c.ctx, "Op", "request-1", c.err)
			if f.status != c.status || !strings.Contains(w.log.String(), "level="+c.level) {
				t.Errorf("got status %d, want %d at %s; log:\n%s", f.status, c.status, c.level, w.log)
			}
		})
	}
}
