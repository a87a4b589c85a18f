package main

import (
	"math/rand/v2"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/sso"
)

// judgedTwice is of how many verified signatures one is judged by the library
// too.
const judgedTwice = 100

// countAllowances counts what methods admit though they should not, each time.
func (f *front) countAllowances() func(sso.Allowance) {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gatehouse_saml_allowances_used_total", Help: "Responses that were admitted only because their method makes an allowance, by allowance.",
	}, []string{"allowance"})
	f.registry.MustRegister(count)
	return func(a sso.Allowance) { count.WithLabelValues(string(a)).Inc() }
}

// verifierGuard decides when our own verification of signatures is believed
// alone, and tells the operator where it and the library do not agree: by a
// metric that should stay 0, and in the log.
func (f *front) verifierGuard() *sso.Guard {
	count := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "gatehouse_saml_verifiers_disagree_total", Help: "Responses on which the two verifiers of signatures did not agree. Should stay 0.",
	})
	f.registry.MustRegister(count)
	return &sso.Guard{
		Sample: func() bool { return rand.N(judgedTwice) == 0 },
		Alarm: func(methodID string, ours bool) {
			count.Inc()
			f.log.Error("two verifiers of SAML signatures do not agree: the response was refused, and the slower one verifies alone until this server starts again; report it",
				"method", methodID, "ours_admits", ours)
		},
	}
}
