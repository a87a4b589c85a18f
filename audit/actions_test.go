package audit

import (
	"os"
	"strings"
	"testing"
)

// Whoever reads the log looks up there what an action means.
func TestThePageOnTheLogNamesEveryAction(t *testing.T) {
	page, err := os.ReadFile("../docs/tasks/read-the-audit-log.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n## Actions\n")
	if !found {
		t.Fatal("the page has no section on actions")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	for _, action := range Actions() {
		if !strings.Contains(table, "`"+action+"`") {
			t.Errorf("the page does not name %s", action)
		}
	}
}
