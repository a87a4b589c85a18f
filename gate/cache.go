package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"
)

// The cache holds passes for a moment, so that a busy program is not looked up
// at each of its requests. It never lets anybody in for longer than a second
// after something changed:
//
//   - What changes on this node is forgotten before the change is answered
//     (Forget).
//   - What changes on another node is read from the database, where every such
//     change leaves a note in its transaction, each readEvery (Watch). A Redis
//     may wake the reader earlier; nothing relies on that.
//   - A node that could not read the notes for staleAfter does not use its
//     cache at all until it can. It reads further back then: changes may have
//     been made meanwhile.
//   - A pass that was being read while something of it changed is not kept.

// Bounds of the cache.
const (
	mostPasses  = 8_000 // about 2.5 KB each; whoever is not among them costs one query
	mostChanged = 100_000
	mostUnknown = 10_000
	keptFor     = 30 * time.Second // even if nothing changes; less than wideWindow, so that no note is missed
	unknownFor  = 10 * time.Second

	readEvery   = 300 * time.Millisecond
	readTimeout = 500 * time.Millisecond
	staleAfter  = readEvery + readTimeout

	// wakesTogether is how long the reader waits for more once it is woken, so
	// that many changes do not make it read without a pause.
	wakesTogether = 10 * time.Millisecond

	// Notes are read of the last few seconds, and now and then of more: a
	// transaction that took long to commit shows its notes late. wideEvery is
	// less than usualWindow, so that nothing falls between the two.
	usualWindow = 5 * time.Second
	wideWindow  = time.Minute
	wideEvery   = 3 * time.Second
)

// A Note is what a change leaves for the nodes.
type Note struct {
	ID  string
	Key string // see Keys
}

// The kinds of keys that a change names.
const (
	tokenKey        = "t:"
	userKey         = "u:"
	methodKey       = "m:"
	organizationKey = "o:"
)

// TokenKey is the key of a token, by its hash.
func TokenKey(hash [sha256.Size]byte) string { return tokenKey + hex.EncodeToString(hash[:16]) }

// UserKey is the key of a person.
func UserKey(id string) string { return userKey + id }

// MethodKey is the key of an identity provider.
func MethodKey(id string) string { return methodKey + id }

// OrganizationKey is the key of an organization.
func OrganizationKey(id string) string { return organizationKey + id }

// Notes is what Cache needs of storage.
type Notes interface {
	// Notes gives the notes that changes left within a time before now, by the
	// database's clock.
	Notes(ctx context.Context, within time.Duration) ([]Note, error)
}

// A Cache holds passes for a moment. Its methods may be called on nil, which
// holds nothing.
type Cache struct {
	Now func() time.Time // must be monotonic, as time.Now is

	good    atomic.Pointer[time.Time] // when the last read of notes began that succeeded
	wide    time.Time                 // and the last one of the wide window; Watch's own
	failing atomic.Bool               // the last read did not succeed

	mu       sync.RWMutex
	passes   map[place]kept
	changed  map[string]uint64 // by key: the change that touched it last
	changes  uint64            // how many there were
	floor    uint64            // what began before is overtaken, whatever changed says
	unknowns map[[sha256.Size]byte]time.Time
	read     map[string]time.Time // notes that were followed
}

type place struct {
	hash  [sha256.Size]byte
	where Where
}

type kept struct {
	pass  *Pass
	keys  []string
	began fill
}

// A fill is where the cache stood when a pass began to be read.
type fill struct {
	changes uint64
	at      time.Time
}

// elapsed is the time between two moments by the clock that says more: the
// monotonic one stands still while a machine is suspended, and the other one
// may be set back.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// Keys are those whose change ends a pass, which is of the token of this hash.
func (p *Pass) Keys(hash [sha256.Size]byte) []string {
	keys := []string{TokenKey(hash), UserKey(p.User.ID)}
	if p.MethodOrganizationID != "" {
		keys = append(keys, MethodKey(p.Method.ID), OrganizationKey(p.MethodOrganizationID))
	}
	if id := p.Place.Organization.ID; id != "" && id != p.MethodOrganizationID {
		keys = append(keys, OrganizationKey(id))
	}
	return keys
}

// fresh says whether this node knows of all changes but the last moment's.
func (c *Cache) fresh(now time.Time) bool {
	good := c.good.Load()
	return good != nil && elapsed(*good, now) <= staleAfter
}

// away says whether the notes cannot be read, or were not in time: then the
// database can hardly be asked for anything.
func (c *Cache) away() bool {
	if c == nil {
		return false
	}
	return c.failing.Load() || c.good.Load() != nil && !c.fresh(c.Now())
}

func (c *Cache) get(hash [sha256.Size]byte, where Where) *Pass {
	if c == nil {
		return nil
	}
	now := c.Now()
	if !c.fresh(now) {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	k, there := c.passes[place{hash, where}]
	if !there || elapsed(k.began.at, now) >= keptFor || c.overtaken(k.keys, k.began) {
		return nil
	}
	return k.pass
}

// overtaken says whether something that keys name changed since a fill began.
func (c *Cache) overtaken(keys []string, began fill) bool {
	if began.changes < c.floor {
		return true
	}
	for _, key := range keys {
		if c.changed[key] > began.changes {
			return true
		}
	}
	return false
}

// begin is called before a pass is read from the store, and gives what put
// takes.
func (c *Cache) begin() fill {
	if c == nil {
		return fill{}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return fill{c.changes, c.Now()}
}

// put keeps a pass, unless something of it changed since begin.
func (c *Cache) put(hash [sha256.Size]byte, where Where, p *Pass, began fill) {
	// Whoever does not belong to a place may any moment: that is not kept.
	if c == nil || (where != Where{} && p.Place.Organization.ID == "") {
		return
	}
	at, keys := place{hash, where}, p.Keys(hash)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.overtaken(keys, began) {
		return
	}
	if c.passes == nil {
		c.passes = map[place]kept{}
	}
	c.makeRoom(began.at)
	c.passes[at] = kept{pass: p, keys: keys, began: began}
}

// makeRoom keeps the cache bounded: first what counts no more goes, then any.
func (c *Cache) makeRoom(now time.Time) {
	if len(c.passes) < mostPasses {
		return
	}
	for at, k := range c.passes {
		if elapsed(k.began.at, now) >= keptFor || c.overtaken(k.keys, k.began) {
			delete(c.passes, at)
		}
	}
	for at := range c.passes {
		if len(c.passes) < mostPasses*9/10 {
			return
		}
		delete(c.passes, at)
	}
}

// unknown says whether a token was nobody's a moment ago. No token is made
// with a text that somebody tried before: it stays nobody's.
func (c *Cache) unknown(hash [sha256.Size]byte) bool {
	if c == nil {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.Now().Before(c.unknowns[hash])
}

func (c *Cache) putUnknown(hash [sha256.Size]byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unknowns == nil || len(c.unknowns) >= mostUnknown {
		c.unknowns = map[[sha256.Size]byte]time.Time{}
	}
	c.unknowns[hash] = c.Now().Add(unknownFor)
}

// Forget lets no pass count any more that one of the keys touches. Whoever changes
// something calls it once the change is kept, before they answer.
func (c *Cache) Forget(keys []string) {
	if c == nil || len(keys) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	if c.changed == nil {
		c.changed = map[string]uint64{}
	}
	if len(c.changed) > mostChanged {
		c.changed, c.floor = map[string]uint64{}, c.changes
	}
	for _, key := range keys {
		c.changed[key] = c.changes
	}
}

// Watch reads the notes of changes until the context ends: every so often, and
// when woken, which may be nil. failed is told once of a row of errors.
func (c *Cache) Watch(ctx context.Context, notes Notes, woken <-chan string, failed func(error)) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		err := c.follow(ctx, notes)
		if ctx.Err() != nil {
			return
		}
		if before := c.failing.Swap(err != nil); err != nil && !before {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case _, open := <-woken:
			if !open {
				woken = nil
			}
			gather(ctx, woken)
		}
	}
}

// gather waits a moment for more of the same.
func gather(ctx context.Context, woken <-chan string) {
	end := time.After(wakesTogether)
	for {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case _, open := <-woken:
			if !open {
				return
			}
		}
	}
}

// follow reads the notes once, and forgets what they name.
func (c *Cache) follow(ctx context.Context, notes Notes) error {
	began := c.Now()
	// So it is too once nothing could be read for a while, or this machine
	// stood still.
	within, wide := usualWindow, elapsed(c.wide, began) >= wideEvery
	if wide {
		within = wideWindow
	}
	bounded, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	all, err := notes.Notes(bounded, within)
	if err != nil {
		return err
	}
	c.Forget(c.unread(all, wide))
	if wide {
		c.wide = began
	}
	c.good.Store(&began)
	return nil
}

// unread gives the keys of the notes that were not followed yet, and forgets
// the ones that no window shows any more.
func (c *Cache) unread(all []Note, wide bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[string]time.Time{}
	}
	now := c.Now()
	var keys []string
	for _, n := range all {
		if _, known := c.read[n.ID]; !known {
			keys = append(keys, n.Key)
		}
		c.read[n.ID] = now
	}
	if wide {
		for id, at := range c.read {
			if now.Sub(at) > 2*wideWindow {
				delete(c.read, id)
			}
		}
	}
	return keys
}
