package limit_test

import (
	"testing"
	"time"

	"gatehouse/internal/limit"
	"gatehouse/internal/limit/limittest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	limittest.Run(t, func(*testing.T) limittest.Subject {
		now := time.Unix(1_700_000_000, 0)
		m := &limit.Memory{Now: func() time.Time { return now }}
		return limittest.Subject{Limiter: m, Pass: func(d time.Duration) { now = now.Add(d) }}
	})
}
