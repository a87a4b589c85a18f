package session

import "strings"

// programs are the names that programs have for themselves, before a slash and
// a version, with the names that people know them by. Those that use others of
// them come first.
var programs = []struct{ product, name string }{
	{"terraform-provider-aiven", "Terraform provider"},
	{"aiven-client", "avn"},
	{"go-client", "Aiven's Go client"},
	{"go-client-codegen", "Aiven's Go client"},
	{"gatehouse", "gatehouse"},
	{"Terraform", "Terraform"},
	{"curl", "curl"},
	{"Wget", "Wget"},
	{"HTTPie", "HTTPie"},
	{"PostmanRuntime", "Postman"},
	{"python-requests", "Python"},
	{"Python-urllib", "Python"},
	{"python-httpx", "Python"},
	{"Go-http-client", "A Go program"},
	{"okhttp", "A Java program"},
	{"Java", "A Java program"},
	{"axios", "A JavaScript program"},
	{"node-fetch", "A JavaScript program"},
	{"node", "A JavaScript program"},
}

// browsers and systems are found by what a user agent holds. The order matters:
// browsers claim to be those that came before them.
var (
	browsers = []struct{ mark, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"},
		{"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

const mostAgentWords = 40 // bytes of a name that nobody knows

// AgentWords makes a user agent readable: "Firefox on Linux", "avn 4.16.0",
// "Terraform provider 4.61.0". Of one that is not known it gives the first
// product and its version (RFC 9110, 10.1.5), up to 40 bytes; of none, nothing.
// It helps people to tell their own programs apart, and decides nothing.
func AgentWords(agent string) string {
	for _, p := range programs {
		for product := range strings.FieldsSeq(agent) {
			name, versions, _ := strings.Cut(product, "/")
			if strings.EqualFold(name, p.product) {
				// The provider names Terraform's version before its own.
				version := versions[strings.LastIndex(versions, "/")+1:]
				return clip(strings.TrimSpace(p.name+" "+version), mostAgentWords)
			}
		}
	}
	if strings.HasPrefix(agent, "Mozilla/") || strings.HasPrefix(agent, "Opera/") {
		return browserWords(agent)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	name, version, _ := strings.Cut(first, "/")
	return clip(strings.TrimSpace(name+" "+version), mostAgentWords)
}

func browserWords(agent string) string {
	find := func(table []struct{ mark, name string }) string {
		for _, t := range table {
			if strings.Contains(agent, t.mark) {
				return t.name
			}
		}
		return ""
	}
	browser, system := find(browsers), find(systems)
	if browser == "" {
		browser = "A browser"
	}
	if system == "" {
		return browser
	}
	return browser + " on " + system
}
