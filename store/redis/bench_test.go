package redis

import (
	"log/slog"
	"testing"
	"time"

	"gatehouse/internal/limit"
	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
)

// BenchmarkTake is what an attempt costs where Redis is near.
func BenchmarkTake(b *testing.B) {
	s, err := Open(b.Context(), Config{URL: parts.Need(b, parts.Redis), Keys: seal.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := limit.Rule{Name: "bench", Burst: 1 << 30, Every: time.Microsecond}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Take(b.Context(), r, "alice"); err != nil {
				b.Error(err)
			}
		}
	})
}
