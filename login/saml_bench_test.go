package login_test

import (
	"net/url"
	"testing"

	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/sso"
)

// BenchmarkAnswerSAML is what an answer of an identity provider costs the
// server, with its trace and without.
func BenchmarkAnswerSAML(b *testing.B) {
	for _, traced := range []bool{false, true} {
		name := "untraced"
		if traced {
			name = "traced"
		}
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			if !traced {
				w.Traces = nil
			}
			browser := &session.Browser{Secret: ident.Secret(32)}
			forms := make([]url.Values, b.N)
			for i := range forms {
				forms[i] = w.answer(w.start(sso.ToLogin, browser), w.alice)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, form := range forms {
				if _, err := w.post(form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
