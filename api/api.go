// Package api serves the JSON API: the paths and bodies of the Aiven identity
// API, so that its clients work unmodified, and what we add to them.
//
// Each operation is declared once, with the permission that it needs ([add]);
// the declaration is also the documentation, published as OpenAPI 3.1. A
// request passes the gate before its body is read. Handlers return faults;
// only this package's one table of them makes statuses, and every failure,
// whatever its cause, has the same shape. Unknown fields and unknown query
// parameters are no failure: clients send some.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Server serves the API.
type Server struct {
	Gate          *gate.Gate
	Login         *login.Login
	People        *account.People
	Addresses     *account.Addresses
	Organizations *account.Organizations
	Groups        *account.Groups
	Members       *account.Members
	IdPs          *sso.IdPs
	Tokens        *session.Tokens
	Domains       *domains.Domains
	Policies      *policy.Policies
	Sightings     *policy.Sightings
	Traces        *login.Traces
	Audit         *audit.Log
	Cookies       *session.CookieStore

	Base    string                         // the public URL, without a slash at the end
	Address func(*http.Request) netip.Addr // the client's address; zero if it is not known
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of this server, for the published document
}

// Handler serves everything below /v1/, but for /v1/sso/, and /openapi.json.
// Whoever calls it sets the header X-Request-Id of the answer first: it leads
// from an answer to the log.
func (s *Server) Handler() http.Handler {
	return s.guard(s.build().mux)
}

// OpenAPI gives the document that describes the API, as JSON.
func (s *Server) OpenAPI() ([]byte, error) {
	return json.MarshalIndent(s.build().api.OpenAPI(), "", "  ")
}

// A builder gathers the operations of a Server.
type builder struct {
	server     *Server
	mux        *http.ServeMux
	api        huma.API
	operations []operation
	verbs      map[string][]string // by path
	decoding   *limit.Slots        // of the bodies that are decoded right now
}

// build declares everything that the API offers.
func (s *Server) build() *builder {
	b := &builder{server: s, mux: http.NewServeMux(), verbs: map[string][]string{}, decoding: limit.NewSlots(mostDecoding, decodingWait)}
	b.api = humago.New(b.mux, s.config())
	b.addPeople()
	b.addPrograms()
	b.addTokens()
	b.addLoginMethods()
	b.addOrganizations()
	b.addGroups()
	b.addMembers()
	b.addProjects()
	b.addIdPs()
	b.addSPKeys()
	b.addMetadata()
	b.addTraces()
	b.addDomains()
	b.addPolicy()
	b.addAudit()
	b.addDocument()
	b.addOtherwise()
	return b
}

func (s *Server) config() huma.Config {
	c := huma.DefaultConfig("Gatehouse", s.Version)
	// Its pages load scripts from elsewhere, and its hooks add fields to
	// answers that clients do not expect.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.AllowAdditionalPropertiesByDefault = true
	c.Formats = map[string]huma.Format{"application/json": {Marshal: marshal, Unmarshal: json.Unmarshal}}
	c.Info.Description = "The paths and bodies of the Aiven identity API, and what Gatehouse adds to them. Unknown fields and query parameters are ignored. Every failure has the same shape."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":  {Type: "http", Scheme: "bearer", Description: "A token of any kind, as Authorization: Bearer TOKEN or Authorization: aivenv1 TOKEN."},
		"cookie": {Type: "apiKey", In: "cookie", Name: session.LoginCookie, Description: "The console's session, for requests from its own pages. Over https the name begins with __Host-."},
	}
	return c
}

// addDocument publishes the document. It is made once, when all operations are
// declared: huma's own page makes it at the first request, unsynchronized.
func (b *builder) addDocument() {
	document, err := json.Marshal(b.api.OpenAPI())
	if err != nil {
		panic("api: marshal the OpenAPI document: " + err.Error())
	}
	const path = "/openapi.json"
	b.verbs[path] = []string{http.MethodGet}
	b.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	})
}

// addOtherwise answers what no operation answers: known paths with other
// verbs, and unknown paths. The mux would do so in plain text.
func (b *builder) addOtherwise() {
	for path, verbs := range b.verbs {
		allow := allowed(verbs)
		b.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			b.server.refuse(w, r, "", fault.MethodNotAllowed.Errorf("This path takes %s.", allow))
		})
	}
	b.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b.server.refuse(w, r, "", fault.NotFound.Errorf("The API has no such path."))
	})
}
