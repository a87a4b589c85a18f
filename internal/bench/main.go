// Command bench measures a whole server under load, through HTTP, with a
// signing identity provider beside it on the same machine.
//
// It starts the given binary on an empty database, makes an organization with
// an identity provider, and measures: answers posted to the ACS, whole logins
// (start, answer, finish), the server's processor time and memory, and the
// latency of fsync in the same folder. It prints rows for docs/performance.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	b := bench{}
	flag.StringVar(&b.binary, "binary", "bin/gatehouse", "server to measure")
	flag.StringVar(&b.database, "database-url", "", "PostgreSQL to use; the embedded database unless said")
	flag.IntVar(&b.workers, "workers", 8, "requests at once")
	flag.IntVar(&b.posts, "posts", 6000, "answers to post")
	flag.IntVar(&b.logins, "logins", 6000, "whole logins")
	flag.StringVar(&b.sign, "sign", "assertion", "what the identity provider signs: assertion, response or both")
	flag.IntVar(&b.size, "size", 0, "bytes to pad each response to")
	flag.IntVar(&b.requests, "requests", 40000, "API requests with a known token; 0: none are measured")
	flag.IntVar(&b.cold, "cold", 20000, "API requests with a new token each")
	sizes := flag.String("large", "", "measure the storage instead, with these numbers of tokens, growing: 1000,100000")
	bare := flag.String("bare", "", "serve the bytes of this file instead, at -listen: what API requests are compared with")
	listen := flag.String("listen", "", "where to serve them")
	flag.Parse()
	run := b.run
	switch {
	case *bare != "":
		run = func(context.Context) error { return serveBare(*bare, *listen) }
	case *sizes != "":
		run = func(ctx context.Context) error { return b.runLarge(ctx, *sizes) }
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	binary, database, sign string
	workers, posts, logins int
	size                   int
	requests, cold         int
}

func (b *bench) run(ctx context.Context) error {
	folder, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	sync50, sync99, err := fsyncLatency(folder)
	if err != nil {
		return err
	}
	s, err := startServer(ctx, b.binary, b.database, folder)
	if err != nil {
		return err
	}
	defer s.stop()
	rest := s.memory()
	c, err := connect(s.base, b.sign, b.size)
	if err != nil {
		return err
	}
	kind := "SQLite"
	if b.database != "" {
		kind = "PostgreSQL"
	}
	fmt.Printf("%s, %d workers, %d cores, %s signed, response of %d bytes; fsync p50 %s, p99 %s\n\n",
		kind, b.workers, runtime.NumCPU(), b.sign, c.size, sync50, sync99)
	fmt.Println("| what | per second | p50 | p99 | server CPU each | server memory |")
	fmt.Println("|---|---|---|---|---|---|")
	fmt.Printf("| at rest | | | | | %d MB |\n", rest>>20)

	if b.posts > 0 && b.logins > 0 {
		if err := b.loginRates(s, c); err != nil {
			return err
		}
	}
	if b.requests == 0 {
		return nil
	}
	return b.api(ctx, s, c, folder)
}

// loginRates measures answers of the identity provider, and whole logins.
func (b *bench) loginRates(s *server, c *client) error {
	answers := make([]answer, b.posts)
	if _, err := b.spread(b.posts, func(i int) (err error) { answers[i], err = c.prepare(i); return err }); err != nil {
		return fmt.Errorf("prepare answers: %w", err)
	}
	if err := b.measure(s, "ACS posts", b.posts, func(i int) error { _, err := c.post(answers[i]); return err }); err != nil {
		return err
	}
	answers = nil
	return b.measure(s, "whole logins", b.logins, c.login)
}

// measure does n things with all workers and prints a row.
func (b *bench) measure(s *server, what string, n int, do func(i int) error) error {
	cpu, begin := s.cpu(), time.Now()
	took, err := b.spread(n, do)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	wall, used := time.Since(begin), s.cpu()-cpu
	slices.Sort(took)
	fmt.Printf("| %s | %.0f | %.2f ms | %.2f ms | %.2f ms | %d MB |\n", what, float64(n)/wall.Seconds(),
		ms(took[n/2]), ms(took[n*99/100]), ms(used)/float64(n), s.memory()>>20)
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// spread does n things with all workers, and gives how long each took. It
// stops at the first failure.
func (b *bench) spread(n int, do func(i int) error) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range b.workers {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				begin := time.Now()
				if err := do(i); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				took[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return took, nil
}

// fsyncLatency is what one durable write of 4 KiB costs in a folder.
func fsyncLatency(folder string) (p50, p99 time.Duration, err error) {
	f, err := os.CreateTemp(folder, "fsync")
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took := make([]time.Duration, 300)
	block := make([]byte, 4096)
	for i := range took {
		begin := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[150], took[297], nil
}
