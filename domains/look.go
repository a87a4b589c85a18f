package domains

import (
	"context"
	"time"
)

// A Looker looks for what is published of a domain.
type Looker interface {
	// TXT gives the TXT records at a name, in lower-case A-labels without a
	// final dot. That there are none is an answer. It changes nothing, and takes
	// a bounded time.
	TXT(ctx context.Context, name string) Look
}

// A Look is what was asked, of whom, and what came.
type Look struct {
	Values []string // one of each record, its strings joined; no more than 100
	Asked  []Query  // in the order of asking

	// Unsure says that nobody knows whether there is a record: servers were
	// silent or failed, or what they said is no answer. Values is empty then.
	Unsure bool
}

// A Query is one question to one server.
type Query struct {
	Server  string        // host:port, or a URL
	Network string        // udp, tcp, https
	Name    string        // that was asked for
	Type    string        // TXT, CNAME, NS, SOA, A …
	Outcome string        // NOERROR, NXDOMAIN, SERVFAIL …, or in words: no answer, truncated …
	Records int           // that answer the question
	Took    time.Duration // 0 where the clock is not asked
}
