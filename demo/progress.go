package demo

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// progress returns what writes the line of output that comes every lineEvery:
// how much, how fast, how far behind, and a story every second time. It belongs
// to one goroutine, which has the auditor meanwhile. The end of ctx does not break
// into its queries: that would cost the connection.
func (d *demo) progress(ctx context.Context) func() {
	begun, settled, told := time.Now(), time.Now(), time.Now()
	var before int64
	lines := 0
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lineEvery)
		defer cancel()
		now := time.Now()
		delivered := d.consumer.effective.Load()
		rate := float64(delivered-before) / now.Sub(told).Seconds()
		before, told = delivered, now
		d.screen.printf("  %s  %6s orders  %7s events committed, %s delivered  %6s/s   p50 %7s  p99 %7s   %s",
			d.screen.paint(faint, fmt.Sprintf("%5s", clock(now.Sub(begun)))), thousands(d.shop.orders.Load()),
			thousands(d.shop.events.Load()), d.screen.paint(bold, fmt.Sprintf("%7s", thousands(delivered))), thousands(int64(rate)),
			readable(milliseconds(d.ledger.recent.quantile(0.50))), readable(milliseconds(d.ledger.recent.quantile(0.99))),
			d.lag(ctx))
		d.ledger.recent.reset()
		if lines++; lines%2 == 1 {
			if story := d.screen.story(); story != "" {
				d.screen.printf("         %s", d.screen.paint(cyan, story))
			}
		}
		if now.Sub(settled) >= settleEvery {
			settled = now
			if err := d.auditor.settle(ctx); err != nil {
				d.screen.warn("%v", err)
			}
		}
	}
}

// lag is how far the relay is behind: events on their way, and WAL that the slot
// holds.
func (d *demo) lag(ctx context.Context) string {
	lag := fmt.Sprintf("%s on the way", thousands(int64(d.ledger.waiting())))
	held, err := d.auditor.held(ctx, slot)
	if err != nil {
		return lag // PostgreSQL is away; the shop tells of it
	}
	return fmt.Sprintf("%s, %s of WAL held", lag, size(held))
}

// clock is d as minutes and seconds: 0:04, 71:30.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// size is a number of bytes as a person reads it.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<20:
		return fmt.Sprintf("%s MiB", thousands(bytes>>20))
	case bytes >= 10<<10:
		return fmt.Sprintf("%d KiB", bytes>>10)
	default:
		return fmt.Sprintf("%s bytes", thousands(bytes))
	}
}

// joined is a list in a sentence: a, b and c.
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
