package session

import (
	"strings"
	"testing"
)

func TestAgentsAreNamedAsPeopleKnowThem(t *testing.T) {
	for agent, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":         "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604": "Safari on iPhone",
		"Mozilla/5.0 (compatible)":  "A browser",
		"Mozilla/5.0 Firefox/140.0": "Firefox",
		"aiven-client/4.16.0":       "avn 4.16.0",
		"go-client-codegen/0.110.0 terraform-provider-aiven/1.9.0/4.61.0": "Terraform provider 4.61.0",
		"go-client/2.40.0 terraform-provider-aiven/1.9.0/4.61.0":          "Terraform provider 4.61.0",
		"go-client-codegen/0.110.0":                                       "Aiven's Go client 0.110.0",
		"curl/8.5.0":                                                      "curl 8.5.0",
		"curl":                                                            "curl",
		"Go-http-client/1.1":                                              "A Go program 1.1",
		"acme-robot/7 (nightly)":                                          "acme-robot 7",
		"robot":                                                           "robot",
		"/":                                                               "",
		strings.Repeat("é", 100):                                          strings.Repeat("é", 20),
		"aiven-client/" + strings.Repeat("9", 100): "avn " + strings.Repeat("9", 36),
	} {
		if got := AgentWords(agent); got != want {
			t.Errorf("%q: got %q, want %q", agent, got, want)
		}
	}
}
