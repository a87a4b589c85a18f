package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// An operation is a verb on a path. Its permission decides who may do it;
// where the path names an organization or an account, it is asked there.
type operation struct {
	ID      string // Aiven's name for it, where there is one
	Method  string
	Path    string
	Summary string
	Need    account.Permission
}

// A call is one request on its way through an operation.
type call struct {
	asked     gate.Request
	visit     gate.Visit
	userAgent string
	requestID string
	decoded   func() // says that the body is decoded; may be called again
}

type callKey struct{}

// An answer is what huma writes: a body and nothing else.
type answer[O any] struct{ Body *O }

// empty is the answer of operations that have nothing to say: status 204,
// without a body and without a Content-Type, which avn would read it by.
type empty struct{}

// add declares an operation. I holds path parameters, which are described but
// rarely needed (the visit has what they name), and a field Body if the
// operation takes one; O is the body of the answer, or empty.
func add[I, O any](b *builder, op operation, do func(context.Context, gate.Visit, *I) (*O, error)) {
	if op.Need == "" {
		panic("api: operation " + op.ID + " declares no permission")
	}
	_, hasBody := reflect.TypeFor[I]().FieldByName("Body")
	declared := huma.Operation{
		OperationID: op.ID,
		Method:      op.Method,
		Path:        op.Path,
		Summary:     op.Summary,
		Middlewares: huma.Middlewares{b.enter(op, hasBody, mostBodyOf(*new(I)))},
		Extensions:  map[string]any{"x-permission": string(op.Need)},

		// enter reads the body and bounds it. A deadline that huma sets would
		// pass while the operation works, and end its context: net/http takes
		// it for a client that went away.
		MaxBodyBytes:    -1,
		BodyReadTimeout: -1,
	}
	if op.Need != account.Anyone {
		declared.Security = []map[string][]string{{"token": {}}, {"cookie": {}}}
	}
	answered := func(ctx context.Context, in *I) (*answer[O], error) {
		c, entered := ctx.Value(callKey{}).(call)
		if !entered {
			return nil, b.server.failed(ctx, op.ID, "", errors.New("operation reached around the gate"))
		}
		c.decoded()
		out, err := do(ctx, c.visit, in)
		if err != nil {
			return nil, b.server.failed(ctx, op.ID, c.requestID, err)
		}
		return &answer[O]{Body: out}, nil
	}
	if reflect.TypeFor[O]() == reflect.TypeFor[empty]() {
		declared.DefaultStatus = http.StatusNoContent
		huma.Register(b.api, declared, func(ctx context.Context, in *I) (*struct{}, error) {
			_, err := answered(ctx, in)
			return nil, err
		})
	} else {
		huma.Register(b.api, declared, answered)
	}
	b.operations = append(b.operations, op)
	b.verbs[op.Path] = append(b.verbs[op.Path], op.Method)
}

// enter lets a request into an operation: first the gate, then the body.
func (b *builder) enter(op operation, hasBody bool, most int) func(huma.Context, func(huma.Context)) {
	s := b.server
	origins := http.NewCrossOriginProtection()
	// Behind a proxy that rewrites Host the public URL is still ours. A base
	// without an origin trusts nothing more.
	_ = origins.AddTrustedOrigin(s.Base)
	params := pathParams(op.Path)
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		c, err := s.admit(r, op, params, origins)
		var body []byte
		if err == nil && hasBody {
			body, err = readBody(r, most)
		}
		if err == nil && (hasBody || r.ContentLength == 0) {
			// Everything has arrived: the server's deadline for that must not
			// end an operation that takes longer.
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		leave := func() {}
		if err == nil && hasBody {
			leave, err = b.decoding.Enter(r.Context())
		}
		if err != nil {
			s.refuse(w, r, op.ID, err)
			return
		}
		c.decoded = sync.OnceFunc(leave)
		defer c.decoded()
		if hasBody {
			if err := checkBody(body); err != nil {
				s.refuse(w, r, op.ID, err)
				return
			}
		}
		c.requestID = w.Header().Get(requestIDHeader)
		ctx = huma.WithValue(ctx, callKey{}, c)
		next(withBody{ctx, bytes.NewReader(body)})
	}
}

// admit asks the gate. A token in the header counts; without one it is the
// console's cookie, which browsers send by themselves: such a request has to
// come from our own pages.
func (s *Server) admit(r *http.Request, op operation, params []string, origins *http.CrossOriginProtection) (call, error) {
	c := call{userAgent: r.UserAgent(), asked: gate.Request{IP: s.Address(r), Agent: r.UserAgent(), Need: op.Need}}
	c.asked.Token = headerToken(r.Header.Get("Authorization"))
	if c.asked.Token == "" {
		if origins.Check(r) != nil {
			return call{}, fault.Denied.Errorf("This request came from a page of another site.").Coded("cross_origin_request")
		}
		c.asked.Token, c.asked.Browser = s.Cookies.Token(r), true
	}
	nonsense := false
	for _, name := range params {
		value := r.PathValue(name)
		nonsense = nonsense || !couldName(name, value)
		switch name {
		case "organization_id":
			c.asked.OrganizationID = value
		case "account_id":
			c.asked.AccountID = value
		}
	}
	// What cannot be an id is not looked up anywhere: storage may choke on it.
	if nonsense && c.asked.Need != account.Anyone {
		c.asked.Need = account.Leave
	}
	var err error
	if c.visit, err = s.Gate.Admit(r.Context(), c.asked); err != nil {
		return call{}, err
	}
	if nonsense {
		return call{}, fault.NotFound.Errorf("There is nothing with this id.")
	}
	return c, nil
}

// admitTo asks the gate once more, for a place that stands in the body: the
// same visitor, with what the operation needs there.
func (s *Server) admitTo(ctx context.Context, need account.Permission, organizationOrAccountID string) (gate.Visit, error) {
	c, _ := ctx.Value(callKey{}).(call)
	if !isID(organizationOrAccountID) {
		return gate.Visit{}, fault.NotFound.Errorf("There is nothing with this id.").Coded("account_not_found")
	}
	again := gate.Request{Token: c.asked.Token, IP: c.asked.IP, Agent: c.asked.Agent, Browser: c.asked.Browser, Need: need}
	// Clients, too, tell the two apart by this prefix.
	if strings.HasPrefix(organizationOrAccountID, "org") {
		again.OrganizationID = organizationOrAccountID
	} else {
		again.AccountID = organizationOrAccountID
	}
	return s.Gate.Admit(ctx, again)
}

// clientOf gives the program at the other end.
func clientOf(ctx context.Context) login.Client {
	c, _ := ctx.Value(callKey{}).(call)
	return login.Client{IP: c.asked.IP, UserAgent: c.userAgent}
}

// headerToken takes the token out of an Authorization header. The scheme is
// aivenv1 or Bearer, in any case (RFC 9110, 11.1); some clients send it with
// an empty token before they have one.
func headerToken(header string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	if strings.EqualFold(scheme, "aivenv1") || strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// pathParams lists the names in braces of a path.
func pathParams(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") {
			names = append(names, strings.Trim(segment, "{}"))
		}
	}
	return names
}

// How long an id can be, a token, by which avn names its own, and the name of
// a domain as somebody types it.
const (
	mostID         = 36
	mostToken      = 64
	mostDomainName = 255
)

// couldName reports whether the value of a path parameter could name anything
// of ours.
func couldName(param, value string) bool {
	switch {
	case param == "token_prefix":
		return isName(value, mostToken)
	case param == "domain_id" && strings.Contains(value, "."):
		// A name in any form, which domains.Domains.Get reads.
		return len(value) <= mostDomainName && utf8.ValidString(value) && !strings.ContainsRune(value, 0)
	}
	return isName(value, mostID)
}

// isID reports whether s could be an id of anything.
func isID(s string) bool { return isName(s, mostID) }

// isName reports whether s could name anything of ours.
func isName(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

type humaContext huma.Context

// withBody hands a body that was read already to huma, as JSON whatever the
// request calls it.
type withBody struct {
	humaContext
	body io.Reader
}

func (c withBody) BodyReader() io.Reader { return c.body }

func (c withBody) Header(name string) string {
	if name == "Content-Type" {
		return "application/json"
	}
	return c.humaContext.Header(name)
}

// Unwrap leads to the context that this one stands for.
func (c withBody) Unwrap() huma.Context { return c.humaContext }

// marshal writes an answer in one piece, so that a client that went away is
// not taken for an answer that cannot be written.
func marshal(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes())
	return nil
}

// allowed writes an Allow header: the mux answers HEAD where it answers GET.
func allowed(verbs []string) string {
	verbs = slices.Clone(verbs)
	if slices.Contains(verbs, http.MethodGet) {
		verbs = append(verbs, http.MethodHead)
	}
	slices.Sort(verbs)
	return strings.Join(verbs, ", ")
}
