package mail

import "time"

// A DomainMissing tells somebody who administers an organization that the proof
// of its domain was not found. It says nothing of what was found instead: that
// is whatever somebody published.
type DomainMissing struct {
	Host         string
	Address      string // the reader's
	Organization string // by name
	Domain       string
	Where        string    // the name of the TXT record, or the address of the page
	Page         bool      // it is a page
	Value        string    // what should stand there
	At           time.Time // of the look
	Since        time.Time // of the first look in vain
	Ends         time.Time // when the claim does
	Link         string    // the page where one sees to it
}

// Message writes it to the reader's address.
func (d DomainMissing) Message() (Message, error) {
	m, err := write("domain-missing", d)
	m.Kind, m.To = DomainNotice, d.Address
	m.Subject = "The record of a domain of yours on " + d.Host + " is missing"
	return m, err
}

// A DomainLost tells the same reader that the claim has ended. Its Ends is not
// looked at.
type DomainLost DomainMissing

// Message writes it to the reader's address.
func (d DomainLost) Message() (Message, error) {
	m, err := write("domain-lost", d)
	m.Kind, m.To = DomainNotice, d.Address
	m.Subject = "A domain of yours on " + d.Host + " was lost"
	return m, err
}
