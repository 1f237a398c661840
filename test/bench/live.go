package main

import (
	"context"
	"time"
)

// live is an outbox with a walrelay that streams from it into a topic.
type live struct {
	bench  *bench
	outbox *outbox
	slot   string
	topic  string
	relay  *relay // nil until start
}

// newLive makes outbox, slot and topic, without a relay yet.
func (b *bench) newLive(ctx context.Context, name string) (_ *live, err error) {
	l := &live{bench: b}
	if l.outbox, err = b.newOutbox(ctx, name); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.close(ctx)
		}
	}()
	l.slot, l.topic = l.outbox.base, b.topic(l.outbox.name)
	return l, b.kafka.createTopic(ctx, l.topic)
}

// live is newLive with a relay that streams.
func (b *bench) live(ctx context.Context, name string) (*live, error) {
	l, err := b.newLive(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := l.start(ctx); err != nil {
		l.close(ctx)
		return nil, err
	}
	if err := l.relay.awaitStreaming(ctx, l.outbox, l.slot); err != nil {
		l.close(ctx)
		return nil, err
	}
	return l, nil
}

// start starts the relay and does not wait for it.
func (l *live) start(ctx context.Context) (err error) {
	l.relay, err = l.bench.startRelay(ctx, job{url: l.outbox.url, slot: l.slot, topic: l.topic})
	return err
}

// verify stops the relay, so that nothing can come late, and reads the topic
// back.
func (l *live) verify(ctx context.Context, events int) (*verdict, error) {
	if err := l.relay.stop(); err != nil {
		return nil, err
	}
	v, err := l.bench.kafka.verify(ctx, l.topic, l.outbox.tag, events)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// awaitRecords waits until the topic holds n records.
func (l *live) awaitRecords(ctx context.Context, n int, limit time.Duration) error {
	_, err := l.bench.kafka.awaitRecords(ctx, l.topic, n, limit, l.relay.running)
	return err
}

func (l *live) close(ctx context.Context) {
	if l.relay != nil {
		l.relay.kill()
	}
	l.bench.cleanUp(ctx, l.outbox)
	if l.topic == "" {
		return
	}
	if err := l.bench.kafka.deleteTopic(ctx, l.topic); err != nil {
		l.bench.report.problem("clean up: %v", err)
	}
}
