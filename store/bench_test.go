package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

var kinds = []struct {
	name  string
	place where
}{
	{"SQLite", onSQLite},
	{"Postgres", onPostgres},
}

// BenchmarkFsync is the floor: one page written and synced, as a commit does.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTx is a durable transaction of two inserts, as an answer of an IdP
// makes, by callers that each wait for their own.
func BenchmarkTx(b *testing.B) {
	for _, k := range kinds {
		for _, callers := range []int{1, 8, 32} {
			b.Run(fmt.Sprintf("%s/%d", k.name, callers), func(b *testing.B) {
				s := open(b, k.place(b))
				end := time.Now().Add(time.Hour)
				work(b, callers, func(ctx context.Context) error {
					return s.Tx(ctx, func(ctx context.Context) error {
						if err := s.UseOnce(ctx, "request", ident.Secret(22), end); err != nil {
							return err
						}
						return s.UseOnce(ctx, "assertion", ident.Secret(22), end)
					})
				})
			})
		}
	}
}

// work shares b.N calls among callers.
func work(b *testing.B, callers int, call func(context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	left := atomic.Int64{}
	left.Store(int64(b.N))
	errs := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for left.Add(-1) >= 0 {
				if err := call(ctx); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkBearer is what every request asks: whose token is this.
func BenchmarkBearer(b *testing.B) {
	for _, k := range kinds {
		for _, callers := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", k.name, callers), func(b *testing.B) {
				s := open(b, k.place(b))
				token := bearer(b, s)
				b.ReportAllocs()
				work(b, callers, func(ctx context.Context) error {
					_, err := s.Pass(ctx, token.Hash, gate.Where{})
					return err
				})
			})
		}
	}
}

// bearer adds a person with a token that an IdP's login made.
func bearer(b *testing.B, s *store.Store) session.Token {
	b.Helper()
	ctx := b.Context()
	u, o := storetest.User("ada"), storetest.Organization("acme")
	i := storetest.IdP("am1", o)
	t := storetest.Token("one", u.ID)
	t.Method = session.Method{Kind: session.SAML, ID: i.ID}
	link := account.Identity{MethodID: i.ID, SubjectKind: "nameid", Subject: "ada", UserID: u.ID, CreatedAt: storetest.Then, LastUsedAt: storetest.Then}
	for _, err := range []error{
		s.AddUser(ctx, u, ""), s.AddOrganization(ctx, o, storetest.Root(o)), s.AddIdP(ctx, i), s.AddIdentity(ctx, link), s.AddToken(ctx, t),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	return t
}
