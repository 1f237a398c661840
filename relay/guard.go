package relay

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/replication"
)

// The slot guard says before it hurts that the slot holds back WAL. With
// max_slot_wal_keep_size it warns at two shares of it, without it from guardFrom
// on at every doubling: then the disk is the limit.
const (
	guardWarn  = 0.5
	guardAlarm = 0.8
	guardFrom  = 8 << 30 // bytes
	// guardWindow is over how long the growth is measured. The slot gives WAL back in
	// steps, so the lowest figures of the window's halves are compared.
	guardWindow = 2 * time.Minute
	// guardEnough is how much of the window must be known.
	guardEnough = 20 * time.Second
)

// guardSlack is by how much a level has to be left before it counts as left, so that
// a slot at a mark does not warn again and again.
const guardSlack = 1.1

// guard watches how much WAL the slot holds back. The zero value is ready; one
// goroutine uses it at a time.
type guard struct {
	level   int   // of the last warning
	limit   int64 // that it is about, 0 for none
	samples []retention
}

type retention struct {
	at    time.Time
	bytes int64
}

// Guard levels with a limit: calm, above guardWarn, above guardAlarm, and the
// server has begun to remove what the slot needs.
const (
	guardCalm = iota
	guardHalf
	guardHigh
	guardUnreserved
)

// look takes a look at the slot and gives the seconds until the limit is reached at
// the present rate (nil without limit or growth), and that rate in bytes a second (nil
// while it is not known).
func (g *guard) look(s *replication.SlotState, now time.Time) (fullIn, rate *float64) {
	g.samples = append(g.samples, retention{now, s.RetainedBytes})
	for len(g.samples) > 1 && now.Sub(g.samples[0].at) > guardWindow {
		g.samples = g.samples[1:]
	}
	growth, known := g.rate()
	if !known {
		return nil, nil
	}
	if s.LimitBytes == nil || growth <= 0 {
		return nil, &growth
	}
	left := max(0, float64(*s.LimitBytes-s.RetainedBytes)/growth)
	return &left, &growth
}

// rate is the growth in bytes a second, once it is known.
func (g *guard) rate() (rate float64, known bool) {
	first, last := g.samples[0], g.samples[len(g.samples)-1]
	span := last.at.Sub(first.at)
	if span < guardEnough {
		return 0, false
	}
	half := first.at.Add(span / 2)
	earlier, later := first, last
	for _, s := range g.samples {
		switch {
		case s.at.Before(half):
			if s.bytes < earlier.bytes {
				earlier = s
			}
		case s.bytes < later.bytes:
			later = s
		}
	}
	return float64(later.bytes-earlier.bytes) / later.at.Sub(earlier.at).Seconds(), true
}

// levelOf says how bad it is. Without a limit it counts the doublings.
func levelOf(s *replication.SlotState) int {
	if s.WALStatus == "unreserved" {
		return guardUnreserved
	}
	if s.LimitBytes == nil {
		level := guardCalm
		for bytes := int64(guardFrom); s.RetainedBytes >= bytes; bytes *= 2 {
			level++
		}
		return level
	}
	share := 1.0
	if *s.LimitBytes > 0 {
		share = float64(s.RetainedBytes) / float64(*s.LimitBytes)
	}
	switch {
	case share >= guardAlarm:
		return guardHigh
	case share >= guardWarn:
		return guardHalf
	}
	return guardCalm
}

// say logs a level that is higher than the last one, and that it is over.
func (g *guard) say(log *zerolog.Logger, slot string, s *replication.SlotState, fullIn *float64) {
	if s.WALStatus == "lost" {
		return // the gap says it
	}
	limit := int64(0)
	if s.LimitBytes != nil {
		limit = *s.LimitBytes
	}
	if limit != g.limit {
		g.level, g.limit = guardCalm, limit
	}
	level := levelOf(s)
	if level <= g.level {
		relaxed := *s
		relaxed.RetainedBytes = int64(float64(s.RetainedBytes) * guardSlack)
		if now := levelOf(&relaxed); now < g.level {
			if g.level = now; now == guardCalm {
				log.Info().Str("slot", slot).Str("retained", bytesText(s.RetainedBytes)).Msg("slot holds back less WAL again")
			}
		}
		return
	}
	g.level = level
	e := log.Warn()
	advice := "bring Kafka back or the relay up to speed (`walrelay status` says what it waits for), or raise max_slot_wal_keep_size while the disk has room; beyond it the slot is lost"
	message := "slot holds back much WAL"
	switch {
	case s.WALStatus == "unreserved":
		e, message = log.Error(), "slot is about to be lost: the server removes the WAL it needs at the next checkpoint"
		advice = "raise max_slot_wal_keep_size at once (ALTER SYSTEM SET max_slot_wal_keep_size = '…'; SELECT pg_reload_conf();) or let the relay catch up"
	case s.LimitBytes == nil:
		advice = "bring Kafka back or the relay up to speed, and bound it: without max_slot_wal_keep_size the primary's disk is the limit"
	}
	e = e.Str("slot", slot).Str("wal_status", s.WALStatus).Str("retained", bytesText(s.RetainedBytes))
	if s.LimitBytes != nil {
		e = e.Str("limit", bytesText(*s.LimitBytes))
	}
	if fullIn != nil {
		e = e.Stringer("full_in", time.Duration(*fullIn*float64(time.Second)).Round(time.Second))
	}
	e.Str("advice", advice).Msg(message)
}

// costOf is the one line a start says about its slot: what it costs, and what
// removes it.
func costOf(log *zerolog.Logger, slot string, s *replication.SlotState) {
	limit := "none: the disk is the limit (set max_slot_wal_keep_size)"
	if s.LimitBytes != nil {
		limit = bytesText(*s.LimitBytes) + ", beyond it the slot is lost"
	}
	log.Info().Str("slot", slot).Str("retained", bytesText(s.RetainedBytes)).Str("limit", limit).
		Str("removed_by", fmt.Sprintf("SELECT pg_drop_replication_slot('%s');", slot)).
		Msg("this slot holds back WAL on the primary as long as it exists, also while no relay runs")
}

// bytesText writes a number of bytes for people, in binary units.
func bytesText(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}
