package login

// PageOfOurs says which page of ours a relay state names, if it does.
func (l *Login) PageOfOurs(relayState string) (path string, ok bool) { return l.pageOfOurs(relayState) }

// Elsewhere is what a link shows of a trace.
func (t Told) Elsewhere() Told { return t.elsewhere() }
