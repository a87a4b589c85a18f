package mail

import "time"

// A MetadataChanged tells somebody who administers an organization that the
// metadata of its identity provider says something else than is set. It repeats
// nothing of it but fingerprints: whoever can write there chooses the rest.
type MetadataChanged struct {
	Host         string
	Address      string // the reader's
	Organization string // by name
	Provider     string // the identity provider's name
	Held         bool   // it waits for approval; else it was applied
	At           time.Time
	Changes      []string // what differs, each a line of ours
	Link         string   // the page where one sees to it
}

// Message writes it to the reader's address.
func (c MetadataChanged) Message() (Message, error) {
	m, err := write("metadata-changed", c)
	m.Kind, m.To = IdPNotice, c.Address
	m.Subject = "The metadata of an identity provider on " + c.Host + " has changed"
	return m, err
}

// A MetadataFailing tells the same reader that the metadata has not been
// fetched for days.
type MetadataFailing struct {
	Host         string
	Address      string // the reader's
	Organization string // by name
	Provider     string // the identity provider's name
	Since        time.Time
	Link         string // the page where one sees to it
}

// Message writes it to the reader's address.
func (f MetadataFailing) Message() (Message, error) {
	m, err := write("metadata-failing", f)
	m.Kind, m.To = IdPNotice, f.Address
	m.Subject = "The metadata of an identity provider on " + f.Host + " cannot be fetched"
	return m, err
}

// A CertificateEnding tells the same reader that a certificate ends soon, or
// has ended.
type CertificateEnding struct {
	Host         string
	Address      string // the reader's
	Organization string // by name
	Provider     string // the identity provider's name
	Ours         bool   // it is ours towards the provider; else the provider signs with it
	Fingerprint  string // SHA-256, in hexadecimal
	Ends         time.Time
	Over         bool      // it has ended
	Until        time.Time // when another one ends that is set as well; zero: there is none
	Link         string    // the page where one sees to it
}

// Message writes it to the reader's address.
func (c CertificateEnding) Message() (Message, error) {
	m, err := write("certificate-ending", c)
	m.Kind, m.To = IdPNotice, c.Address
	m.Subject = "A certificate of an identity provider on " + c.Host + " ends soon"
	if c.Over {
		m.Subject = "A certificate of an identity provider on " + c.Host + " has ended"
	}
	return m, err
}
