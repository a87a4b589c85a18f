package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// useStore keeps what is written down, and says that it was.
type useStore struct {
	Store
	mu      sync.Mutex
	written []Used
	calls   int
	broken  error
	wrote   chan int
	during  func()
}

func (u *useStore) NoteUses(_ context.Context, all []Used) error {
	if u.during != nil {
		u.during()
	}
	u.mu.Lock()
	u.calls++
	err := u.broken
	if err == nil {
		u.written = append(u.written, all...)
	}
	u.mu.Unlock()
	if u.wrote != nil {
		u.wrote <- len(all)
	}
	return err
}

var (
	home = netip.MustParseAddr("192.0.2.1")
	away = netip.MustParseAddr("198.51.100.1")
)

// usedToken is a token that was used at home before.
func usedToken(name string) *Token {
	return &Token{Hash: sha256.Sum256([]byte(name)), ExpiresAt: noon.Add(time.Hour), LastUse: Use{At: noon.Add(-time.Hour), IP: home}}
}

// urgent says whether something is to be written at once, and takes it back.
func (u *Uses) isUrgent() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	select {
	case <-u.signal():
		return true
	default:
		return false
	}
}

func TestManyUsesAreOneWrite(t *testing.T) {
	store := &useStore{}
	u, one, two := &Uses{Store: store}, usedToken("one"), usedToken("two")
	for i := range 1000 {
		u.Note(one, home, "program/1", noon.Add(time.Duration(i)*time.Second))
		u.Note(two, home, "program/2", noon)
	}
	if store.calls != 0 || u.isUrgent() {
		t.Errorf("got %d writes for requests, want none", store.calls)
	}
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.calls != 1 || len(store.written) != 2 {
		t.Fatalf("got %d writes of %d uses, want one of two", store.calls, len(store.written))
	}
	for _, w := range store.written {
		if w.Hash == one.Hash && (!w.Use.At.Equal(noon.Add(999*time.Second)) || w.Use.IP != home || w.Use.UserAgent != "program/1" || !w.ExpiresAt.IsZero()) {
			t.Errorf("got %+v, want the last use, and no end", w)
		}
	}
	if err := u.Flush(t.Context()); err != nil || store.calls != 1 {
		t.Errorf("got %d writes, %v; want none of nothing", store.calls, err)
	}
}

func TestWhatIsWrittenAtOnce(t *testing.T) {
	extends := func(left time.Duration) func(*Token) {
		return func(t *Token) { t.ExtendWhenUsed, t.MaxAge, t.ExpiresAt = true, time.Hour, noon.Add(left) }
	}
	for _, c := range []struct {
		name string
		edit func(*Token)
		ip   netip.Addr
		want bool
	}{
		{"the same address again", nil, home, false},
		{"another address", nil, away, true},
		{"no address any more", nil, netip.Addr{}, true},
		{"the first use", func(t *Token) { t.LastUse = Use{} }, home, true},
		{"one that would soon have ended", extends(soonOver - 1), home, true},
		{"one that would not", extends(soonOver), home, false},
		{"one that ends soon, whatever its uses", func(t *Token) { t.ExpiresAt = noon.Add(time.Second) }, home, false},
	} {
		u, token := &Uses{Store: &useStore{}}, usedToken("one")
		if c.edit != nil {
			c.edit(token)
		}
		u.Note(token, c.ip, "", noon)
		if got := u.isUrgent(); got != c.want {
			t.Errorf("%s: got urgent %v, want %v", c.name, got, c.want)
		}
		// A cache gives the same token again and again.
		u.Note(token, c.ip, "", noon)
		if u.isUrgent() {
			t.Errorf("%s: urgent once more, before it was written", c.name)
		}
		if err := u.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Note(token, c.ip, "", noon)
		if u.isUrgent() {
			t.Errorf("%s: urgent once more, after it was written", c.name)
		}
	}
}

func TestUsesThatCannotBeWrittenStay(t *testing.T) {
	store := &useStore{broken: errors.New("away")}
	u, one, two := &Uses{Store: store}, usedToken("one"), usedToken("two")
	u.Note(one, home, "old", noon)
	u.Note(two, home, "old", noon)
	store.during = func() { u.Note(one, away, "new", noon.Add(time.Second)) }
	if err := u.Flush(t.Context()); err == nil {
		t.Fatal("got no error")
	}
	store.broken, store.during = nil, nil
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[[32]byte]string{}
	for _, w := range store.written {
		got[w.Hash] = w.Use.UserAgent
	}
	if len(store.written) != 2 || got[one.Hash] != "new" || got[two.Hash] != "old" {
		t.Errorf("got %+v, want both, each with its last use", store.written)
	}
}

func TestManyUsesAreWrittenInParts(t *testing.T) {
	store := &useStore{}
	u := &Uses{Store: store}
	const many = 3*usesAtOnce + 1
	for i := range many {
		u.Note(usedToken(string(rune('a'+i))), home, "", noon)
	}
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]bool{}
	for _, w := range store.written {
		seen[w.Hash] = true
	}
	if store.calls != 4 || len(seen) != many {
		t.Errorf("got %d writes of %d tokens, want 4 of %d", store.calls, len(seen), many)
	}
	// One of them fails: the rest is not lost.
	for i := range many {
		u.Note(usedToken(string(rune('a'+i))), home, "", noon.Add(time.Minute))
	}
	store.calls, store.written = 0, nil
	store.during = func() {
		if store.broken = nil; store.calls == 1 {
			store.broken = errors.New("away")
		}
	}
	if err := u.Flush(t.Context()); err == nil {
		t.Fatal("got no error")
	}
	store.during, store.broken = nil, nil
	if err := u.Flush(t.Context()); err != nil || len(store.written) != many {
		t.Errorf("got %d uses written, %v; want %d", len(store.written), err, many)
	}
}

func TestUsesInMemoryAreBounded(t *testing.T) {
	u := &Uses{Store: &useStore{}}
	token := usedToken("one")
	for i := range mostUses + 10 {
		token.Hash = [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		u.Note(token, home, "", noon)
	}
	if len(u.pending) != mostUses {
		t.Errorf("got %d in memory, want %d", len(u.pending), mostUses)
	}
	long := strings.Repeat("é", 20_000)
	u.Note(&Token{Hash: [32]byte{0}}, home, long, noon)
	if got := u.pending[[32]byte{0}].Use.UserAgent; len(got) > mostAgent || !strings.HasPrefix(long, got) || got == "" {
		t.Errorf("got %d bytes of a program's name, want %d at most", len(got), mostAgent)
	}
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(u.written) > mostUses+usesAtOnce {
		t.Errorf("got %d remembered as written, want a bound", len(u.written))
	}
}

func TestAReaderSeesTheLastUses(t *testing.T) {
	u, token := &Uses{Store: &useStore{}}, usedToken("one")
	token.ExtendWhenUsed, token.MaxAge = true, time.Hour
	u.Note(token, away, "program/2", noon.Add(30*time.Minute))
	for _, when := range []string{"before it is written", "after"} {
		seen := *token
		u.Overlay(&seen)
		want := Use{At: noon.Add(30 * time.Minute), IP: away, UserAgent: "program/2"}
		if seen.LastUse != want || !seen.ExpiresAt.Equal(noon.Add(90*time.Minute)) {
			t.Errorf("%s: got %+v until %s, want %+v until %s", when, seen.LastUse, seen.ExpiresAt, want, noon.Add(90*time.Minute))
		}
		if err := u.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Another node knows of a later one.
	newer := *token
	newer.LastUse, newer.ExpiresAt = Use{At: noon.Add(40 * time.Minute)}, noon.Add(100*time.Minute)
	want := newer
	u.Overlay(&newer)
	if newer.LastUse != want.LastUse || !newer.ExpiresAt.Equal(want.ExpiresAt) {
		t.Errorf("got %+v, want the later use that the store knows of", newer.LastUse)
	}
	other := *usedToken("two")
	u.Overlay(&other)
	if other.LastUse != usedToken("two").LastUse {
		t.Error("got another token changed")
	}
	var none *Uses
	none.Note(token, home, "", noon)
	none.Overlay(&other)
}

func TestTheWriterWritesAtOnceWhatIsUrgentAndAllWhenItStops(t *testing.T) {
	store := &useStore{wrote: make(chan int, 10)}
	u := &Uses{Store: store}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { u.Run(ctx, time.Hour, func(err error) { t.Errorf("got %v", err) }) })
	u.Note(usedToken("one"), away, "", noon)
	if got := <-store.wrote; got != 1 {
		t.Errorf("got %d written at once, want one", got)
	}
	u.Note(usedToken("two"), home, "", noon)
	cancel()
	group.Wait()
	if got := <-store.wrote; got != 1 || len(store.written) != 2 {
		t.Errorf("got %d written at the end, want one", got)
	}
}

func TestTheWriterGoesOnAfterAnError(t *testing.T) {
	store := &useStore{wrote: make(chan int, 10), broken: errors.New("away")}
	u := &Uses{Store: store}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 100)
	var group sync.WaitGroup
	group.Go(func() { u.Run(ctx, time.Millisecond, func(err error) { failed <- err }) })
	u.Note(usedToken("one"), home, "", noon)
	<-failed
	store.mu.Lock()
	store.broken = nil
	store.mu.Unlock()
	for written := 0; written == 0; {
		<-store.wrote
		store.mu.Lock()
		written = len(store.written)
		store.mu.Unlock()
	}
	cancel()
	group.Wait()
}
