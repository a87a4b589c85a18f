package account

import (
	"slices"
	"testing"
)

func TestEveryPermissionLiesInAnAreaThatThereIs(t *testing.T) {
	for p, d := range demands {
		whole := p == Anyone || p == Leave || p == Operate
		if d.level == OfNobody || whole != (d.scope.Area == "") {
			t.Errorf("%s: level %d, scope %+v", p, d.level, d.scope)
		}
		if d.scope.Area != "" && !slices.Contains(Areas, d.scope.Area) {
			t.Errorf("%s lies in %q, which is no area", p, d.scope.Area)
		}
	}
}

func TestNobodyHasAPermissionThatThereIsNot(t *testing.T) {
	admin := Member{SuperAdmin: true}
	for _, p := range []Permission{"", "organization", "self", Operate} {
		if admin.Grants(p) {
			t.Errorf("a super admin was granted %q", p)
		}
	}
	if !admin.Grants(WritePolicy) || (Member{}).Grants(WritePolicy) || !(Member{}).Grants(ReadOrganization) {
		t.Error("only super admins change the policy; every member reads the organization")
	}
}
