package account

// A Permission is something that one may do. Every operation names the one
// that it needs.
type Permission string

// The permissions. Those that begin with "self" are about what is one's own;
// those that begin with "organization" are asked of a place.
const (
	Anyone Permission = "anyone" // no login needed

	Leave             Permission = "self:leave" // ending the token of the request: any that counts
	ReadSelf          Permission = "self:read"
	WriteSelf         Permission = "self:write"
	ReadTokens        Permission = "self:tokens:read" // tokens, and ways to log in
	WriteTokens       Permission = "self:tokens:write"
	ListOrganizations Permission = "self:organizations:read"
	MakeOrganizations Permission = "self:organizations:write"
	ListProjects      Permission = "self:projects:read"

	ReadOrganization  Permission = "organization:read"
	WriteOrganization Permission = "organization:write"
	ReadIdPs          Permission = "organization:idps:read" // identity providers
	WriteIdPs         Permission = "organization:idps:write"
	ReadPolicy        Permission = "organization:policy:read" // the authentication policy
	WritePolicy       Permission = "organization:policy:write"
	ReadGroups        Permission = "organization:groups:read"
	WriteGroups       Permission = "organization:groups:write"
	ReadDomains       Permission = "organization:domains:read"
	WriteDomains      Permission = "organization:domains:write"
	ReadPeople        Permission = "organization:users:read" // who belongs to the organization
	WritePeople       Permission = "organization:users:write"
	ReadAudit         Permission = "organization:audit:read"        // the organization's audit log
	ReadTraces        Permission = "organization:login-traces:read" // what became of attempts to log in
	WriteTraces       Permission = "organization:login-traces:write"
	LeaveOrganization Permission = "organization:leave" // ending one's own membership

	Operate Permission = "operate" // what concerns the whole installation
)

// A Level is who can have a permission at all.
type Level int

// The levels.
const (
	OfNobody    Level = iota // of a permission that there is not
	OfAnyone                 // whoever asks
	OfSelf                   // any person who is logged in
	OfMembers                // of the organization
	OfAdmins                 // super admins of the organization
	OfOperators              // wherever
)

// A Scope is a part of what its owner may do, to which a token can be
// narrowed: an area, for reading, for changing, or both.
type Scope struct {
	Area  string // one of Areas; empty: no scope but the whole has it
	Write bool
}

// Areas are the areas of scopes, as Aiven's API names them.
var Areas = []string{
	"accounts", "authentication", "billing", "payments", "privatelink", "projects",
	"scim", "services", "static_ips", "tickets", "user",
}

// demands says of each permission who can have it and in which scope it lies.
var demands = map[Permission]struct {
	level Level
	scope Scope
}{
	Anyone: {OfAnyone, Scope{}},

	Leave:             {OfSelf, Scope{}},
	ReadSelf:          {OfSelf, Scope{"user", false}},
	WriteSelf:         {OfSelf, Scope{"user", true}},
	ReadTokens:        {OfSelf, Scope{"authentication", false}},
	WriteTokens:       {OfSelf, Scope{"authentication", true}},
	ListOrganizations: {OfSelf, Scope{"accounts", false}},
	MakeOrganizations: {OfSelf, Scope{"accounts", true}},
	ListProjects:      {OfSelf, Scope{"projects", false}},

	ReadOrganization:  {OfMembers, Scope{"accounts", false}},
	WriteOrganization: {OfAdmins, Scope{"accounts", true}},
	ReadIdPs:          {OfAdmins, Scope{"authentication", false}},
	WriteIdPs:         {OfAdmins, Scope{"authentication", true}},
	ReadPolicy:        {OfAdmins, Scope{"authentication", false}},
	WritePolicy:       {OfAdmins, Scope{"authentication", true}},
	ReadGroups:        {OfAdmins, Scope{"accounts", false}},
	WriteGroups:       {OfAdmins, Scope{"accounts", true}},
	ReadDomains:       {OfAdmins, Scope{"accounts", false}},
	WriteDomains:      {OfAdmins, Scope{"accounts", true}},
	ReadPeople:        {OfAdmins, Scope{"accounts", false}},
	WritePeople:       {OfAdmins, Scope{"accounts", true}},
	ReadAudit:         {OfAdmins, Scope{"accounts", false}},
	ReadTraces:        {OfAdmins, Scope{"authentication", false}},
	WriteTraces:       {OfAdmins, Scope{"authentication", true}},
	LeaveOrganization: {OfMembers, Scope{"accounts", true}},

	Operate: {OfOperators, Scope{}},
}

// Level says who can have a permission.
func (p Permission) Level() Level { return demands[p].level }

// Scope says in which scope a permission lies. Leave lies in every one.
func (p Permission) Scope() Scope { return demands[p].scope }

// Grants reports whether a member has a permission in the organization. No
// membership grants Operate.
func (m Member) Grants(p Permission) bool {
	switch p.Level() {
	case OfAnyone, OfSelf, OfMembers:
		return true
	case OfAdmins:
		return m.SuperAdmin
	}
	return false
}
