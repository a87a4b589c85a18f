package web

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/audit"
	"gatehouse/gate"
)

// An auditPage lists what was done in an organization, newest first.
type auditPage struct {
	page
	Action   field
	Actor    field
	Filtered bool // by anything
	Events   []eventView
	Older    string // address of the next page; empty on the last
	Newest   string // address of the first page; empty there
}

// An eventView is an event as the table shows it.
type eventView struct {
	At      moment
	Who     string
	What    string // in words
	Action  string // as programs know it
	Target  string // what it was done to; empty where that is who did it
	Address string
	Browser string
	ID      string
	Changes []changeView
	Facts   []changeView
}

// A changeView is a detail: a value that became another, or one that is.
type changeView struct {
	Name   string
	Before string
	After  string
}

// auditGroups are what the log can be narrowed to: what actions begin with.
var auditGroups = []option{
	{"", "Everything"},
	{"login.", "Logins"},
	{"trace.", "Looks at attempts to log in"},
	{"session.", "Sessions that ended"},
	{"program.", "Programs let in"},
	{"user.", "People"},
	{"identity.", "Linked accounts"},
	{"idp.", "Identity providers"},
	{"domain.", "Domains"},
	{"organization.", "The organization"},
	{"unit.", "Units"},
	{"member.", "Members"},
	{"group.", "Groups"},
	{"policy.", "The authentication policy"},
	{"token.", "Tokens"},
	{"recover.", "Recovery on the server"},
}

// eventsOnPage is how many events a page of the console shows.
const eventsOnPage = 50

func (s *site) listAudit(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "Audit log", "audit-log")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	action, actor := q.Get("action"), strings.TrimSpace(q.Get("actor"))
	p := &auditPage{page: frame, Filtered: action != "" || actor != ""}
	p.Action = field{Name: "action", Label: "What", Value: action, Options: auditOptions(action), Optional: true}
	p.Actor = field{Name: "actor", Label: "Who", Hint: "An address, or what it begins with.", Value: actor, Most: 320, Optional: true, Machine: true}
	list, err := s.Audit.List(r.Context(),
		audit.Filter{OrganizationID: v.Organization.ID, Action: action, Actor: actor},
		audit.Page{Size: eventsOnPage, Cursor: q.Get("cursor")})
	if err != nil {
		return s.again(w, r, "audit", p, err, &p.Action, &p.Actor)
	}
	for _, e := range list.Events {
		p.Events = append(p.Events, s.viewEvent(e))
	}
	here := url.Values{}
	for name, value := range map[string]string{"action": action, "actor": actor} {
		if value != "" {
			here.Set(name, value)
		}
	}
	if q.Get("cursor") != "" {
		p.Newest = withQuery(r.URL.Path, here)
	}
	if list.Next != "" {
		here.Set("cursor", list.Next)
		p.Older = withQuery(r.URL.Path, here)
	}
	return s.render(w, r, http.StatusOK, "audit", p)
}

// auditOptions are the groups, and what else was asked for.
func auditOptions(chosen string) []option {
	if slices.ContainsFunc(auditGroups, func(o option) bool { return o.Value == chosen }) {
		return auditGroups
	}
	return append(slices.Clone(auditGroups), option{chosen, chosen})
}

func (s *site) viewEvent(e audit.Event) eventView {
	view := eventView{
		At: s.moment(e.At), Who: e.Actor.Name, Action: e.Action, What: audit.Words(e.Action), ID: e.ID,
		Target: cmp.Or(e.Target.Name, e.Target.ID),
	}
	if e.Target.ID == e.Actor.ID && e.Actor.ID != "" {
		view.Target = ""
	}
	if e.IP.IsValid() {
		view.Address = e.IP.String()
	}
	if e.UserAgent != "" {
		view.Browser = browserName(e.UserAgent)
	}
	view.Changes, view.Facts = viewDetails(e.Details)
	return view
}

// viewDetails parts what changed from what else is said, each by name.
func viewDetails(d audit.Details) (changes, facts []changeView) {
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if name, is := strings.CutSuffix(key, audit.After); is {
			changes = append(changes, changeView{name, d[name+audit.Before], d[key]})
			continue
		}
		name, is := strings.CutSuffix(key, audit.Before)
		if _, both := d[name+audit.After]; !is || !both {
			facts = append(facts, changeView{Name: key, After: d[key]})
		}
	}
	return changes, facts
}
