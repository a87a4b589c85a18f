package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A Health is what Probe learned of a Redis.
type Health struct {
	Where   string        // host:port/number
	Version string        // empty where it does not say
	Replica bool          // it only reads
	Latency time.Duration // of a question, on a connection that is there
	Late    bool          // the latency is more than a request waits
	Exposed bool          // what goes there crosses networks that are not private, and not encrypted
	Forbids []string      // commands of ours that its user may not use
}

// What a Redis can fail at. Others are an answer that makes no sense.
var (
	ErrAway     = errors.New("it cannot be reached")
	ErrNotLetIn = errors.New("it refuses the user or the password")
)

// allowedHere asks what the user may do, without doing it. A Redis older than 7
// cannot be asked, and forbids nothing that is known.
var allowedHere = goredis.NewScript(`
local no = {}
redis.call('TIME')
if redis.acl_check_cmd then
	for _, c in ipairs({{'GET', KEYS[1]}, {'SET', KEYS[1], '1'}, {'DEL', KEYS[1]}, {'PUBLISH', ARGV[1], ''}, {'SUBSCRIBE', ARGV[1]}}) do
		if not redis.acl_check_cmd(unpack(c)) then
			table.insert(no, c[1])
		end
	end
end
return no
`)

// probes is how many questions the latency is the best of: what comes first
// pays for others' starts.
const probes = 3

// Probe asks the Redis at a URL how it is, and leaves nothing in it. It
// waits for as long as ctx lets it. It returns ErrURL, ErrAway or ErrNotLetIn;
// nothing in the errors is secret.
func Probe(ctx context.Context, url string) (Health, error) {
	options, err := parse(url)
	if err != nil {
		return Health{}, err
	}
	goredis.SetLogger(silence{})
	h := Health{Where: fmt.Sprintf("%s/%d", options.Addr, options.DB)}
	var exposed atomic.Bool
	dial := goredis.NewDialer(options)
	options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			exposed.Store(options.TLSConfig == nil && isPublic(conn.RemoteAddr()))
		}
		return conn, err
	}
	options.MinIdleConns, options.PoolSize = 0, 1
	client := goredis.NewClient(options)
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return h, whyNot(err)
	}
	err = h.ask(ctx, client)
	h.Exposed = exposed.Load()
	return h, err
}

// ask asks a Redis that is there.
func (h *Health) ask(ctx context.Context, client *goredis.Client) error {
	for i := range probes {
		asked := time.Now()
		if err := client.Ping(ctx).Err(); err != nil {
			return whyNot(err)
		}
		if took := time.Since(asked); i == 0 || took < h.Latency {
			h.Latency = took
		}
	}
	h.Late = h.Latency >= patience
	conn := client.Conn()
	defer conn.Close()
	// Redis 5 knows no HELLO, and says nothing of itself to everybody.
	if hello, err := conn.Hello(ctx, 3, "", "", "").Result(); err == nil {
		h.Version, _ = hello["version"].(string)
		h.Replica = hello["role"] == "replica"
	}
	forbidden, err := allowedHere.Eval(ctx, conn, []string{"gatehouse:limit:"}, channel).StringSlice()
	if err != nil && strings.HasPrefix(err.Error(), "NOPERM") {
		h.Forbids = []string{"EVAL and TIME"}
		return nil
	}
	if err != nil {
		return whyNot(err)
	}
	h.Forbids = forbidden
	return nil
}

// whyNot tells apart what is mended in different places.
func whyNot(err error) error {
	for _, said := range []string{"NOAUTH", "WRONGPASS", "ERR invalid password", "ERR AUTH", "ERR Client sent AUTH"} {
		if strings.HasPrefix(err.Error(), said) {
			return fmt.Errorf("%w: %s", ErrNotLetIn, oneLine(err))
		}
	}
	return fmt.Errorf("%w: %s", ErrAway, oneLine(err))
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// isPublic reports whether an address is one of a network that others share.
func isPublic(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return false
	}
	ip := at.Addr().Unmap()
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
}
