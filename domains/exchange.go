package domains

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"gatehouse/internal/fetch"
)

// payload is the size of an answer that is taken over UDP: what fits into a
// packet everywhere (DNS flag day 2020).
const payload = 1232

// mostStray is how many messages that answer another question are read over
// before the server counts as silent.
const mostStray = 50

// A question is what one server is asked.
type question struct {
	name      string // in lower case, with its final dot
	kind      uint16
	recurse   bool // ask others if need be
	unchecked bool // without checking DNSSEC signatures
	plain     bool // without EDNS0
	network   string
}

// An end is how an exchange ended.
type end int

const (
	heard  end = iota
	silent     // nothing that answers came
	unfit      // over UDP: cut off, or not certain to come from the server
)

// ask asks a server: over UDP, once more if a resolver is silent, and over TCP
// if UDP does not do; without EDNS0 (RFC 6891) where it is refused. It gives
// the answer, of whatever status, or nil.
func (s *search) ask(ctx context.Context, server string, q question) *dns.Msg {
	networks := []string{"udp", "udp", "tcp"}
	if !q.recurse {
		networks = networks[1:] // there are other servers of the zone
	}
	for i := 0; i < len(networks); {
		q.network = networks[i]
		m, how := s.exchange(ctx, server, q)
		switch {
		case ctx.Err() != nil && how != heard, s.left == 0 && how != heard:
			return nil
		case how == unfit:
			i = len(networks) - 1
		case how == silent:
			i++
		case !q.plain && refusesEDNS(m):
			q.plain = true
		default:
			return m
		}
	}
	return nil
}

func refusesEDNS(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented || m.Rcode == dns.RcodeBadVers
}

// exchange sends one question, waits for its answer, and writes both down.
func (s *search) exchange(ctx context.Context, server string, q question) (*dns.Msg, end) {
	if s.left == 0 {
		s.remark(fmt.Sprintf("the last of %d questions", mostQuestions))
		return nil, silent
	}
	s.left--
	var start time.Time
	if s.r.Now != nil {
		start = s.r.Now()
	}
	m, how, words := s.send(ctx, server, q)
	note := Query{Server: server, Network: q.network, Name: shown(q.name), Type: dns.TypeToString[q.kind], Outcome: words}
	if s.r.Now != nil {
		note.Took = s.r.Now().Sub(start)
	}
	if how == heard {
		note.Outcome = status(m)
		for _, rr := range m.Answer {
			if rr.Header().Rrtype == q.kind {
				note.Records++
			}
		}
	}
	s.asked = append(s.asked, note)
	return m, how
}

// status names the status of an answer.
func status(m *dns.Msg) string {
	if words, known := dns.RcodeToString[m.Rcode]; known {
		return words
	}
	return fmt.Sprintf("status %d", m.Rcode)
}

func (s *search) send(ctx context.Context, server string, q question) (m *dns.Msg, how end, words string) {
	once := s.r.whole() / 10
	ctx, cancel := context.WithTimeout(ctx, once)
	defer cancel()
	dial := s.r.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, q.network, server)
	if err != nil {
		return nil, silent, failure(err, once)
	}
	defer conn.Close()
	if deadline, has := ctx.Deadline(); has {
		_ = conn.SetDeadline(deadline) // without it the next line ends the wait
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if q.recurse {
		s.local = s.local || isLocal(conn.RemoteAddr())
	}
	c := &dns.Conn{Conn: conn, UDPSize: payload}
	out := message(q)
	if err := c.WriteMsg(out); err != nil {
		return nil, silent, failure(err, once)
	}
	return receive(c, out, q.network == "udp", once)
}

// message writes a question as it is sent.
func message(q question) *dns.Msg {
	m := &dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: q.recurse, CheckingDisabled: q.unchecked},
		Question: []dns.Question{{Name: mixed(q.name), Qtype: q.kind, Qclass: dns.ClassINET}},
	}
	if !q.plain {
		m.SetEdns0(payload, false)
	}
	return m
}

// mixed gives the letters of a name a case by chance, which a server repeats
// and somebody who forges its answers does not know.
func mixed(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'a' <= c && c <= 'z' && rand.N(2) == 0 {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// receive waits for the answer to a question. Messages that answer another
// one, as forged or late ones do, are read over.
func receive(c *dns.Conn, out *dns.Msg, udp bool, once time.Duration) (*dns.Msg, end, string) {
	stray := 0
	for range mostStray {
		m, err := c.ReadMsg()
		if err != nil && (m == nil || m.Id != out.Id) {
			var broken *dns.Error
			if udp && errors.As(err, &broken) {
				stray++
				continue
			}
			if stray > 0 {
				return nil, silent, fmt.Sprintf("no answer; %d that came answer something else", stray)
			}
			return nil, silent, failure(err, once)
		}
		belongs, exact := answers(m, out)
		switch {
		case !belongs && udp:
			stray++
		case !belongs:
			return nil, silent, "an answer to something else"
		case udp && m.Truncated:
			return nil, unfit, "truncated"
		case err != nil && udp:
			return nil, unfit, "an answer that cannot be read"
		case err != nil:
			return nil, silent, "an answer that cannot be read"
		case udp && !exact:
			return nil, unfit, "an answer that does not repeat the question as it was asked"
		default:
			return m, heard, ""
		}
	}
	return nil, silent, fmt.Sprintf("no answer; %d that came answer something else", stray)
}

// answers says whether a message answers a question, and whether it repeats it
// letter by letter. A server that does not understand EDNS0 may repeat nothing.
func answers(m, out *dns.Msg) (belongs, exact bool) {
	if m.Id != out.Id || !m.Response || m.Opcode != dns.OpcodeQuery {
		return false, false
	}
	if len(m.Question) == 0 {
		bare := m.Rcode == dns.RcodeFormatError && len(m.Answer) == 0
		return bare, bare
	}
	got, want := m.Question[0], out.Question[0]
	belongs = len(m.Question) == 1 && got.Qtype == want.Qtype && got.Qclass == want.Qclass && strings.EqualFold(got.Name, want.Name)
	return belongs, belongs && got.Name == want.Name
}

// failure says in words why there is no answer.
func failure(err error, once time.Duration) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "this machine has no way there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "it hung up"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, net.ErrClosed):
		return fmt.Sprintf("no answer within %v", once)
	}
	return "no answer: " + clip(err.Error())
}

// isLocal says whether an address is not public.
func isLocal(a net.Addr) bool {
	if a == nil {
		return false
	}
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && !fetch.Public(at.Addr())
}
