package login

import (
	"fmt"
	"testing"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// TestWhoseAccountAnAddressIs walks all that judgeHolder can be asked.
func TestWhoseAccountAnAddressIs(t *testing.T) {
	const ours, other = "org-ours", "org-other"
	if got, err := judgeHolder(nil, ours); got != provision || err != nil {
		t.Errorf("got %v, %v of an address that nobody has, want an account made", got, err)
	}
	both := []bool{false, true}
	cases := 0
	for _, active := range both {
		for _, proved := range both {
			for _, operator := range both {
				for _, managing := range []string{"", ours, other} {
					for _, elsewhere := range [][]account.Membership{nil, {{}}, {{SuperAdmin: true}}, {{}, {SuperAdmin: true}}} {
						cases++
						h := &holder{account.User{AddressProved: proved, Operator: operator, ManagingOrganizationID: managing, State: account.DeactivatedUser}, elsewhere}
						if active {
							h.User.State = account.ActiveUser
						}
						admin := len(elsewhere) > 0 && elsewhere[len(elsewhere)-1].SuperAdmin
						// The rules, from the strictest on: each is a sentence of
						// docs/decisions/0012-who-owns-an-address.md.
						var want verdict
						code := ""
						switch {
						case !active:
							code = "user_deactivated"
						case managing == other:
							code = "managed_elsewhere"
						case operator, proved && admin:
							code = "own_login_required"
						case proved:
							want = take
						case len(elsewhere) == 0:
							want = claim
						default:
							want = askClaim
						}
						got, err := judgeHolder(h, ours)
						name := fmt.Sprintf("active %v, proved %v, operator %v, managed by %q, elsewhere %d (admin %v)", active, proved, operator, managing, len(elsewhere), admin)
						switch {
						case code == "" && (err != nil || got != want):
							t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
						case code != "" && (err == nil || fault.Of(err).Code != code || fault.Of(err).Kind != fault.Denied):
							t.Errorf("%s: got %v, %v; want it refused with %s", name, got, err, code)
						}
					}
				}
			}
		}
	}
	if cases != 96 {
		t.Errorf("walked %d cases, want 96", cases)
	}
}
