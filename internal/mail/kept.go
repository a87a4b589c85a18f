package mail

import (
	"context"
	"slices"
	"sync"
)

// mostKept is how many mails Kept remembers.
const mostKept = 100

// Kept is a Transport to nowhere: it remembers the last hundred mails, for a
// demonstration to show.
type Kept struct {
	mu    sync.Mutex
	mails []Outgoing
}

// Send remembers a mail.
func (k *Kept) Send(_ context.Context, m Outgoing) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mails = append(k.mails, m)
	if len(k.mails) > mostKept {
		k.mails = slices.Clone(k.mails[len(k.mails)-mostKept:])
	}
	return nil
}

// Mails gives what was sent, the newest first.
func (k *Kept) Mails() []Outgoing {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := slices.Clone(k.mails)
	slices.Reverse(out)
	return out
}
