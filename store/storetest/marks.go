package storetest

import (
	"context"
	"errors"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/store"
)

var marks = []promise{
	{"a mark comes back as it was written last", func(t *testing.T, s *store.Store) {
		_, err := s.Marked(t.Context(), "a")
		isFault(t, err, fault.NotFound)
		do(t, s.Mark(t.Context(), "a", "1"), s.Mark(t.Context(), "b", "2"), s.Mark(t.Context(), "a", "3"))
		for name, want := range map[string]string{"a": "3", "b": "2"} {
			got, err := s.Marked(t.Context(), name)
			do(t, err)
			same(t, got, want)
		}
	}},
	{"a mark is undone with its transaction", func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.Mark(ctx, "a", "1"))
			return mine
		})
		same(t, errors.Is(err, mine), true)
		_, err = s.Marked(t.Context(), "a")
		isFault(t, err, fault.NotFound)
	}},
}
