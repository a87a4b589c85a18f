package session

// A Principal is what an identity provider calls the login behind a session: it
// names it so when it asks for its end, and wants to hear it so when it is asked.
// The zero Principal is of no identity provider, or not known.
type Principal struct {
	Name  string // the person, in package sso's writing: opaque here
	Key   string // stands for the name in look-ups
	Index string // the identity provider's session; empty if it has no name
}

// A Named is a session that an identity provider asks about.
type Named struct {
	Hash  [32]byte
	Index string // as in Principal
}
