package domains

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// An oracle is a connection to a server that answers every question with the
// same bytes, with the question's id and, if it says so, the question itself.
type oracle struct {
	net.PacketConn // nil: makes the oracle one of packets
	says           []byte
	answer         []byte
	sent           *int
}

func (o *oracle) Write(b []byte) (int, error) {
	*o.sent++
	q, m := new(dns.Msg), new(dns.Msg)
	if q.Unpack(b) != nil {
		return len(b), nil
	}
	if m.Unpack(o.says) == nil {
		m.Id, m.Response, m.Opcode, m.Question = q.Id, true, dns.OpcodeQuery, q.Question
		o.answer, _ = m.Pack()
	}
	if o.answer == nil {
		o.answer = append([]byte{b[0], b[1]}, o.says...)
	}
	return len(b), nil
}

func (o *oracle) Read(b []byte) (int, error) {
	if o.answer == nil {
		return 0, io.EOF
	}
	n := copy(b, o.answer)
	o.answer = nil
	return n, nil
}

func (*oracle) Close() error                     { return nil }
func (*oracle) RemoteAddr() net.Addr             { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 53} }
func (*oracle) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1} }
func (*oracle) SetDeadline(time.Time) error      { return nil }
func (*oracle) SetReadDeadline(time.Time) error  { return nil }
func (*oracle) SetWriteDeadline(time.Time) error { return nil }

func FuzzWhateverServersAnswerALookIsBounded(f *testing.F) {
	for _, lines := range [][]string{
		nil, delegation, chain(3), {txt(challenge, "x")}, {challenge + ". 60 IN CNAME " + challenge + "."},
		{"test. 60 IN NS ns.test.", "ns.test. 60 IN A 9.0.0.1"},
	} {
		m := new(dns.Msg)
		for _, line := range lines {
			m.Answer = append(m.Answer, rr(f, line))
			m.Ns = append(m.Ns, rr(f, line))
			m.Extra = append(m.Extra, rr(f, line))
		}
		for _, aa := range []bool{true, false} {
			m.Authoritative = aa
			b, err := m.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
		m.Answer = nil
		b, _ := m.Pack()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		sent := 0
		r := &Resolver{Server: resolver, AllowPrivate: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return &oracle{says: says, sent: &sent}, nil
		}}
		got := r.TXT(t.Context(), challenge)
		if sent > mostQuestions {
			t.Errorf("got %d questions sent, want at most %d", sent, mostQuestions)
		}
		if len(got.Values) > mostRecords || got.Unsure && len(got.Values) > 0 {
			t.Errorf("got %d values, unsure %v", len(got.Values), got.Unsure)
		}
		for _, v := range got.Values {
			if len(v) > mostValue {
				t.Errorf("got a value of %d bytes, want at most %d", len(v), mostValue)
			}
		}
	})
}
