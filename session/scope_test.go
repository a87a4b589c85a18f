package session

import (
	"testing"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// permissions are all there are.
var permissions = []account.Permission{
	account.Anyone, account.Leave, account.ReadSelf, account.WriteSelf, account.ReadTokens, account.WriteTokens,
	account.ListOrganizations, account.MakeOrganizations, account.ListProjects,
	account.ReadOrganization, account.WriteOrganization, account.ReadIdPs, account.WriteIdPs, account.ReadPolicy, account.WritePolicy,
	account.ReadGroups, account.WriteGroups, account.ReadAudit, account.Operate, account.Permission("unheard of"),
}

// someScopes are lists of up to three scopes of two areas, and of what there
// is not.
func someScopes() []Scopes {
	one := []string{"all", "accounts", "accounts:read", "accounts:write", "authentication", "authentication:read", "authentication:write", "user", "user:read", "nonsense"}
	out := []Scopes{nil, {}}
	for i, a := range one {
		out = append(out, Scopes{a})
		for j, b := range one[i:] {
			out = append(out, Scopes{a, b})
			for _, c := range one[i+j:] {
				out = append(out, Scopes{a, b, c})
			}
		}
	}
	return out
}

func TestScopesWithinOthersAllowNothingThatThoseDoNot(t *testing.T) {
	all := someScopes()
	inside := 0
	for _, narrow := range all {
		for _, wide := range all {
			if !narrow.within(wide) {
				continue
			}
			inside++
			for _, p := range permissions {
				if narrow.Allow(p) && !wide.Allow(p) {
					t.Fatalf("%v lies within %v, and yet it alone allows %s", narrow, wide, p)
				}
			}
		}
		if !narrow.within(narrow) {
			t.Errorf("%v does not lie within itself", narrow)
		}
	}
	if inside < len(all) || inside == len(all)*len(all) {
		t.Errorf("got %d of %d pairs within each other", inside, len(all)*len(all))
	}
}

func TestEachPermissionLiesInOneScope(t *testing.T) {
	for _, p := range permissions {
		in := p.Scope()
		open := p == account.Anyone || p == account.Leave
		if got := (Scopes{"tickets"}).Allow(p); got != open {
			t.Errorf("%s with another scope: got %v, want %v", p, got, open)
		}
		if !(Scopes{}).Allow(p) || !(Scopes{"all"}).Allow(p) {
			t.Errorf("%s is refused to a token that nothing narrows", p)
		}
		if open || in.Area == "" {
			continue
		}
		for scope, want := range map[string]bool{in.Area: true, in.Area + ":read": !in.Write, in.Area + ":write": in.Write} {
			if got := (Scopes{scope}).Allow(p); got != want {
				t.Errorf("%s with %s: got %v, want %v", p, scope, got, want)
			}
		}
	}
}

func TestScopesThatThereAreNot(t *testing.T) {
	for _, bad := range []string{"", "everything", "all:read", "user:", "user:read:write", "user:write:read", "user:read:read", ":read", " user", "user,projects", "USER", "user\x00", "user:delete"} {
		got, err := ParseScopes([]string{"projects", bad})
		if f := fault.Of(err); err == nil || f.Kind != fault.Invalid || f.Field != "scopes" || got != nil {
			t.Errorf("%q: got %v, %v; want it refused at scopes", bad, got, err)
		}
	}
	if _, err := ParseScopes(make([]string, mostScopes+1)); err == nil {
		t.Error("got no error for more scopes than there may be")
	}
	got, err := ParseScopes([]string{"user", "projects:read", "user", "all", "projects:read"})
	if err != nil || len(got) != 3 {
		t.Errorf("got %v, %v; want each once", got, err)
	}
	for _, area := range account.Areas {
		if _, err := ParseScopes([]string{area, area + ":read", area + ":write"}); err != nil {
			t.Errorf("%s: got %v, want it to be a scope", area, err)
		}
	}
}

func FuzzHash(f *testing.F) {
	for _, seed := range []string{"", "gts_", newText(SessionToken), newText(PersonalToken), newText(ApplicationToken)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hash, could := Hash(text)
		if could != wellFormed(text) || (!could && hash != [32]byte{}) {
			t.Errorf("%q: got %v, %x", text, could, hash)
		}
		if could && text[len(text)-checksumLength:] != checksum(text[:len(text)-checksumLength]) {
			t.Errorf("%q could be a token, and its checksum is wrong", text)
		}
	})
}
