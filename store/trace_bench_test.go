package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store/storetest"
)

// BenchmarkAnswer is what an answer writes, without and with its trace.
func BenchmarkAnswer(b *testing.B) {
	for _, size := range []int{0, 1, 7700} {
		for _, callers := range []int{1, 8} {
			b.Run(fmt.Sprintf("trace of %d/%d", size, callers), func(b *testing.B) {
				s := open(b, onSQLite(b))
				bearer(b, s)
				o := storetest.Organization("acme")
				story, response := make([]byte, size*4/10+1), make([]byte, size*6/10+1)
				b.ReportAllocs()
				work(b, callers, func(ctx context.Context) error {
					return s.Tx(ctx, func(ctx context.Context) error {
						now := time.Now()
						f := login.Flow{ID: ident.Secret(32), Method: session.Method{Kind: session.SAML, ID: "am1"}, Purpose: sso.ToLogin, AnsweredAt: now, ExpiresAt: now}
						if size > 0 {
							tr := login.Trace{ID: ident.UUID(now), OrganizationID: o.ID, Method: f.Method, At: now, Words: ident.RandomWords(), Outcome: login.TraceAnswered, Story: story, Response: response}
							if err := s.AddTrace(ctx, tr); err != nil {
								return err
							}
						}
						if err := s.AddFlow(ctx, f); err != nil {
							return err
						}
						return s.UseOnce(ctx, "assertion", f.ID, now)
					})
				})
			})
		}
	}
}
