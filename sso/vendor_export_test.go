package sso

// Topics are what vendors have words for; Do says that these include what to
// do. (Of the relay state they do only where it is a setting.)
var Topics = []struct {
	Name string
	Do   bool
	at   topic
}{
	{"audience", false, atAudience}, {"acs", false, atACS}, {"issuer", false, atIssuer}, {"certificate", false, atCertificate},
	{"new key", true, atNewKey}, {"algorithm", true, atAlgorithm}, {"sign assertion", true, atSignAssertion}, {"sign response", true, atSignResponse},
	{"encryption", false, atEncryption}, {"cipher", true, atCipher}, {"name id", true, atNameID}, {"email", true, atEmail},
	{"groups", true, atGroups}, {"people", true, atPeople}, {"relay", false, atRelay}, {"events", false, atEvents}, {"logout", false, atLogout},
}

// Words gives a vendor's words for a topic.
func Words(v Vendor, name string) (where, field, do string, there bool) {
	for _, t := range Topics {
		if t.Name == name {
			p, there := consoles[v].places[t.at]
			return p.where, p.field, p.do, there
		}
	}
	return "", "", "", false
}
