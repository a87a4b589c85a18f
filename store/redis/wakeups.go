package redis

import "context"

// channel carries the topics of all wake-ups.
const channel = "gatehouse:wake"

// longestTopic bounds what is taken from a Redis that others may write to.
const longestTopic = 64

// Publish wakes, on every node, whoever waits for a topic, this node included.
// Where Redis is away nobody is woken: whoever waits must look by itself now
// and then.
func (s *Server) Publish(ctx context.Context, topic string) {
	if s.Away() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.client.Publish(bounded, channel, topic).Err(); err != nil && ctx.Err() == nil {
		s.lose(err)
	}
}

// Subscribe gives the topics of wake-ups until ctx ends, and then closes the
// channel. Some may be lost, and while nobody receives all are but a few.
func (s *Server) Subscribe(ctx context.Context) <-chan string {
	topics := make(chan string, 16)
	go func() {
		defer close(topics)
		sub := s.client.Subscribe(ctx, channel)
		defer sub.Close()
		in := sub.Channel() // it connects anew by itself
		for {
			select {
			case <-ctx.Done():
				return
			case m, open := <-in:
				if !open {
					return
				}
				if len(m.Payload) > longestTopic {
					continue
				}
				select {
				case topics <- m.Payload:
				default:
				}
			}
		}
	}()
	return topics
}
