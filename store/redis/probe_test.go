package redis

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"gatehouse/internal/parts"
)

func TestProbe(t *testing.T) {
	p := startRedis(t)
	h, err := Probe(t.Context(), p.url())
	if err != nil || h.Where != "127.0.0.1:"+p.port+"/0" || h.Version == "" || h.Replica || h.Late || h.Exposed || len(h.Forbids) > 0 {
		t.Errorf("got %+v (%v), want nothing wrong", h, err)
	}
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + p.port})
	defer client.Close()
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("got %d keys (%v), want none left behind", n, err)
	}

	// The documented rights suffice; fewer are named.
	for name, c := range map[string]struct {
		rights []string
		want   []string
	}{
		"documented":  {strings.Fields("~gatehouse:* &gatehouse:* +get +set +del +eval +evalsha +time +publish +subscribe +ping +hello +client +select"), []string{}},
		"fewer":       {strings.Fields("~gatehouse:* &gatehouse:* +get +eval +evalsha +time +subscribe +ping +hello +client +select"), []string{"SET", "DEL", "PUBLISH"}},
		"no scripts":  {strings.Fields("~gatehouse:* &gatehouse:* +get +set +del +publish +subscribe +ping +hello +client +select"), []string{"EVAL and TIME"}},
		"other names": {strings.Fields("~other:* &gatehouse:* +get +set +del +eval +evalsha +time +publish +subscribe +ping +hello +client +select"), []string{"EVAL and TIME"}},
	} {
		if err := client.ACLSetUser(t.Context(), "gate", append([]string{"reset", "on", ">hunter2"}, c.rights...)...).Err(); err != nil {
			t.Fatal(err)
		}
		h, err := Probe(t.Context(), "redis://gate:hunter2@127.0.0.1:"+p.port)
		if diff := cmp.Diff(c.want, h.Forbids); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if _, err := Probe(t.Context(), "redis://gate:hunter3@127.0.0.1:"+p.port); !errors.Is(err, ErrNotLetIn) || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v, want ErrNotLetIn and no password", err)
	}
	if err := client.ReplicaOf(t.Context(), "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if h, err := Probe(t.Context(), p.url()); err != nil || !h.Replica {
		t.Errorf("got %+v (%v), want a replica", h, err)
	}
	p.kill()
	if _, err := Probe(t.Context(), p.url()); !errors.Is(err, ErrAway) {
		t.Errorf("got %v, want ErrAway", err)
	}
}

func TestProbeOfARedisWithAPassword(t *testing.T) {
	u, err := url.Parse(parts.Need(t, parts.Redis))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Probe(t.Context(), u.String()); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if u.User == nil {
		return
	}
	u.User = nil
	if _, err := Probe(t.Context(), u.String()); !errors.Is(err, ErrNotLetIn) {
		t.Errorf("without the password: got %v, want ErrNotLetIn", err)
	}
}

func TestProbeOfWhatIsNoRedis(t *testing.T) {
	if _, err := Probe(t.Context(), "http://127.0.0.1"); !errors.Is(err, ErrURL) {
		t.Errorf("got %v, want ErrURL", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("220 hello\r\n"))
			c.Close()
		}
	}()
	if _, err := Probe(t.Context(), "redis://ann:hunter2@"+l.Addr().String()); !errors.Is(err, ErrAway) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want ErrAway and no password", err)
	}
}
