package task

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// turns keeps turns as a database does.
type turns struct {
	mu   sync.Mutex
	due  map[string]time.Time
	fail error
}

func (s *turns) TakeTurn(ctx context.Context, name string, now, next time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.fail); err != nil {
		return false, err
	}
	if due, known := s.due[name]; known && due.After(now) {
		return false, nil
	}
	if s.due == nil {
		s.due = map[string]time.Time{}
	}
	s.due[name] = next
	return true, nil
}

// node runs tasks until stop is called, which waits for them.
func node(t *testing.T, s *turns, tasks ...Task) (stop func(), log *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log = &bytes.Buffer{}
	r := &Runner{Tasks: tasks, Turns: s, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil))}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}, log
}

// runs notes when something ran.
type runs struct {
	mu sync.Mutex
	at []time.Duration
	t0 time.Time
}

func (r *runs) note() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Since(r.t0))
}

func (r *runs) want(t *testing.T, want ...time.Duration) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.at) != len(want) {
		t.Fatalf("got runs at %v, want %v", r.at, want)
	}
	for i := range want {
		if r.at[i] != want[i] {
			t.Errorf("got runs at %v, want %v", r.at, want)
		}
	}
}

func TestATaskOfEachNodeRunsOnEachNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ran := &runs{t0: time.Now()}
		one := Task{Name: "sweep", Every: time.Minute, Run: func(context.Context) error { ran.note(); return nil }}
		stopA, _ := node(t, nil, one)
		stopB, _ := node(t, nil, one)
		time.Sleep(2*time.Minute + time.Second)
		stopA()
		stopB()
		ran.want(t, time.Minute, time.Minute, 2*time.Minute, 2*time.Minute)
	})
}

func TestATaskOfTheClusterRunsOnceEachIntervalAlsoAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ran := &turns{}, &runs{t0: time.Now()}
		daily := Task{Name: "look", Every: time.Hour, Once: true, Bound: 10 * time.Minute, Run: func(context.Context) error { ran.note(); return nil }}
		stopA, _ := node(t, s, daily)
		stopB, _ := node(t, s, daily)
		time.Sleep(30 * time.Minute)
		stopA()
		stopC, _ := node(t, s, daily)
		time.Sleep(90*time.Minute + time.Second)
		stopB()
		stopC()
		ran.want(t, time.Minute, 61*time.Minute)
	})
}

func TestAnotherNodeTakesOverFromOneThatDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ran := &turns{}, &runs{t0: time.Now()}
		// A node took the turn at the beginning, and was never heard of again.
		mine, err := s.TakeTurn(t.Context(), "look", time.Now(), time.Now().Add(10*time.Minute))
		if !mine || err != nil {
			t.Fatalf("got %v, %v, want the turn", mine, err)
		}
		stop, _ := node(t, s, Task{Name: "look", Every: time.Hour, Once: true, Bound: 10 * time.Minute, Run: func(context.Context) error { ran.note(); return nil }})
		time.Sleep(30 * time.Minute)
		stop()
		ran.want(t, 10*time.Minute)
	})
}

func TestWhatFailsIsLoggedAndTriedAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("the moon is full") },
		"a panic":  func() error { panic("the moon is full") },
	} {
		for _, once := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, ran := &turns{}, &runs{t0: time.Now()}
					stop, log := node(t, s, Task{Name: "look", Every: time.Minute, Once: once, Run: func(context.Context) error {
						ran.note()
						if len(ran.at) == 1 {
							return fail()
						}
						return nil
					}})
					time.Sleep(2*time.Minute + time.Second)
					stop()
					ran.want(t, time.Minute, 2*time.Minute)
					if !strings.Contains(log.String(), "the moon is full") || !strings.Contains(log.String(), "task=look") {
						t.Errorf("got the log %q, want what failed and why", log)
					}
				})
			})
		}
	}
}

func TestARunIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ended := &turns{}, &runs{t0: time.Now()}
		stop, log := node(t, s, Task{Name: "look", Every: time.Hour, Once: true, Bound: 5 * time.Minute, Run: func(ctx context.Context) error {
			if due := s.due["look"]; !due.Equal(time.Now().Add(5 * time.Minute)) {
				t.Errorf("got the turn until %v, want it for as long as the run may take", due)
			}
			<-ctx.Done()
			ended.note()
			return ctx.Err()
		}})
		time.Sleep(6*time.Minute + time.Second)
		ended.want(t, 6*time.Minute)
		stop()
		if !strings.Contains(log.String(), "deadline exceeded") {
			t.Errorf("got the log %q, want that the time was up", log)
		}
	})
}

func TestARunThatIsCutOffByTheEndIsLeftToTheNextNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ran := &turns{}, &runs{t0: time.Now()}
		stop, log := node(t, s, Task{Name: "look", Every: time.Hour, Once: true, Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		time.Sleep(90 * time.Second)
		stop()
		if log.Len() > 0 {
			t.Errorf("got the log %q, want nothing: it was told to stop", log)
		}
		stop, _ = node(t, s, Task{Name: "look", Every: time.Hour, Once: true, Run: func(context.Context) error { ran.note(); return nil }})
		time.Sleep(2 * time.Minute)
		stop()
		ran.want(t, 150*time.Second)
	})
}

func TestWithoutADatabaseNothingOfTheClusterRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ran := &turns{fail: errors.New("no database")}, &runs{t0: time.Now()}
		stop, log := node(t, s, Task{Name: "look", Every: time.Hour, Once: true, Run: func(context.Context) error { ran.note(); return nil }})
		time.Sleep(2 * time.Minute)
		stop()
		ran.want(t)
		if !strings.Contains(log.String(), "no database") {
			t.Errorf("got the log %q, want why", log)
		}
	})
}
