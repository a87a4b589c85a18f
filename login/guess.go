package login

import (
	"context"
	"slices"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
)

// guess lets a client try something that only somebody who knows a secret can
// name. Tries that end with one of the codes have missed, and are counted by
// address; beyond the limit nothing from there is tried.
func (l *Login) guess(ctx context.Context, r limit.Rule, c Client, try func() error, misses ...string) error {
	address := limit.Address(c.IP)
	if err := l.Limits.Check(ctx, r, address); err != nil {
		return err
	}
	err := try()
	if err == nil || !slices.Contains(misses, fault.Of(err).Code) {
		return err
	}
	if limited := l.Limits.Take(ctx, r, address); limited != nil {
		return limited
	}
	return err
}
