package mail

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// How mails are delivered. A claim outlasts the longest attempt by far, so that
// nodes whose clocks differ by a minute or two do not send twice.
const (
	atOnce  = 4 // attempts of one node
	attempt = time.Minute
	lease   = 5 * time.Minute
	grace   = 10 * time.Second // for attempts under way when Run is to end
)

// Run sends what is due until ctx ends; then it lets the attempts under way
// finish, for ten seconds.
func (s *Sender) Run(ctx context.Context) {
	under, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	defer stop()
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, atOnce)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		q, err := s.claim(ctx)
		if err == nil {
			workers.Go(func() {
				defer func() { <-slots }()
				s.deliver(under, q)
			})
			continue
		}
		<-slots
		if !errors.Is(err, fault.NotFound) && ctx.Err() == nil {
			s.Log.Warn("the mail queue cannot be read; trying again", "error", err)
		}
		if !s.rest(ctx) {
			return
		}
	}
}

// rest waits until the queue is worth another look; it reports false if ctx
// ended.
func (s *Sender) rest(ctx context.Context) bool {
	poll := s.Poll
	if poll == 0 {
		poll = time.Second
	}
	select {
	case <-time.After(poll):
		return true
	case <-ctx.Done():
		return false
	}
}

// Deliver sends one mail that is due. It reports false if there is none.
func (s *Sender) Deliver(ctx context.Context) (bool, error) {
	q, err := s.claim(ctx)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.deliver(ctx, q)
	return true, nil
}

func (s *Sender) claim(ctx context.Context) (Queued, error) {
	now := s.Now()
	return s.Store.ClaimMail(ctx, now, now.Add(lease))
}

// deliver makes one attempt and notes what came of it.
func (s *Sender) deliver(ctx context.Context, q Queued) {
	err := s.try(ctx, q)
	log := s.Log.With("mail", q.ID, "kind", string(q.Kind), "domain", domainOf(q.To), "attempt", q.Attempts)
	// What came of it is worth noting even where the attempt was cut short.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	now := s.Now()
	var refusal *Refusal
	var noted error
	switch {
	case err == nil:
		log.Info("mail sent")
		noted = s.Store.EndMail(ctx, q.ID, q.Attempts, Sent, "", now.Add(remembered))
	case errors.As(err, &refusal):
		log.Warn("mail refused for good", "why", refusal.Why)
		noted = s.Store.EndMail(ctx, q.ID, q.Attempts, Failed, refusal.Why, now.Add(remembered))
	default:
		due := now.Add(delay(q.Attempts))
		if !due.Before(q.EndsAt) {
			log.Warn("mail given up", "why", err.Error())
			noted = s.Store.EndMail(ctx, q.ID, q.Attempts, Failed, err.Error(), now.Add(remembered))
			break
		}
		log.Warn("mail not sent yet", "why", err.Error(), "next", due.UTC().Format(time.RFC3339))
		noted = s.Store.DelayMail(ctx, q.ID, q.Attempts, due, err.Error())
	}
	if noted != nil {
		log.Error("what came of a mail cannot be noted; it may be sent twice", "error", noted)
	}
}

// try brings a mail to the transport.
func (s *Sender) try(ctx context.Context, q Queued) error {
	if !s.Now().Before(q.EndsAt) {
		return errors.New("it is not worth sending any more")
	}
	m, err := s.open(q)
	if err != nil {
		return &Refusal{"its text was sealed with keys that are gone"}
	}
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return s.Transport.Send(ctx, Outgoing{Message: m, ID: q.ID + "@" + s.Domain, At: q.CreatedAt})
}

// delays is how long to wait after each attempt; the last holds for all others.
var delays = []time.Duration{
	30 * time.Second, 2 * time.Minute, 8 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour,
}

func delay(attempts int) time.Duration {
	return delays[min(max(attempts, 1), len(delays))-1]
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}
