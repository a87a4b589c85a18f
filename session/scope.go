package session

import (
	"slices"
	"strings"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// Scopes narrow a token to a part of what its owner may do: each is an area,
// such as "projects", for reading and changing, or "projects:read" or
// "projects:write" for one of the two; "all" is everything. No scopes at all
// narrow nothing.
type Scopes []string

const (
	allScopes   = "all"
	readSuffix  = ":read"
	writeSuffix = ":write"
	mostScopes  = 100
)

// ParseScopes reads scopes as somebody asks for them. It returns fault.Invalid
// at scopes for more than 100, or for one that there is not.
func ParseScopes(texts []string) (Scopes, error) {
	if len(texts) > mostScopes {
		return nil, fault.Invalid.Errorf("Give %d scopes at most.", mostScopes).At("scopes")
	}
	var out Scopes
	for _, text := range texts {
		area := strings.TrimSuffix(strings.TrimSuffix(text, readSuffix), writeSuffix)
		if text != allScopes && (!slices.Contains(account.Areas, area) || strings.Count(text, ":") > 1) {
			return nil, fault.Invalid.Errorf("There is no scope %q. There are all, and, plain or with :read or :write, %s.", clip(text, 40), strings.Join(account.Areas, ", ")).At("scopes")
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, nil
}

// Allow reports whether a token with these scopes may do what needs p. What
// concerns the whole installation takes a token that nothing narrows.
func (s Scopes) Allow(p account.Permission) bool {
	if len(s) == 0 || slices.Contains(s, allScopes) || p.Level() == account.OfAnyone || p == account.Leave {
		return true
	}
	in := p.Scope()
	return in.Area != "" && s.covers(in.Area, in.Write)
}

func (s Scopes) covers(area string, write bool) bool {
	suffix := readSuffix
	if write {
		suffix = writeSuffix
	}
	return slices.Contains(s, area) || slices.Contains(s, area+suffix)
}

// within reports whether s allows nothing that its parent does not.
func (s Scopes) within(parent Scopes) bool {
	if len(parent) == 0 || slices.Contains(parent, allScopes) {
		return true
	}
	if len(s) == 0 {
		return false
	}
	for _, scope := range s {
		area, one := scope, ""
		if a, ok := strings.CutSuffix(scope, readSuffix); ok {
			area, one = a, readSuffix
		} else if a, ok := strings.CutSuffix(scope, writeSuffix); ok {
			area, one = a, writeSuffix
		}
		reads, writes := one != writeSuffix, one != readSuffix
		if scope == allScopes || (reads && !parent.covers(area, false)) || (writes && !parent.covers(area, true)) {
			return false
		}
	}
	return true
}
