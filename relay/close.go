package relay

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// end closes the session. On the way out of a stop, and of an event that stops
// the relay, everything before it is brought to Kafka and confirmed.
func (s *session) end(ctx context.Context, w *watch, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	decided := classify(cause)
	if cause != nil {
		s.r.setWaiting(StateStarting, reasonOf(cause)) // ready no longer, from now on
	}
	if cause == nil || decided == stop && s.producer.Err() == nil {
		s.r.setState(StateStopping)
		if err := s.flush(ctx); err != nil {
			s.r.log.Warn().Err(err).Msg("stopping before the last events were confirmed: they are sent again at the next start")
		}
	}
	// Flushing may have used up all patience, so the goodbye has its own. A server
	// that is silent gets none: the next connection may reach another one.
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyePatience)
	defer cancel()
	if errors.Is(cause, errSilent) {
		cancel()
	}
	closed := s.stream.Close(goodbye)
	w.stop()
	w.exactlyOnceRuns(goodbye)                                  // it may be shorter than a turn of the watch
	clean := closed == nil && (cause == nil || decided == stop) // then the marker is exact
	if clean {
		w.save(goodbye, s.confirmed, clean)
	}
	s.r.log.Info().AnErr("goodbye", closed).Stringer("confirmed_lsn", s.confirmed).Bool("clean", clean).Int("skipped_delivered", s.skipped).Msg("stream closed")
	return cause
}

// flush waits for the acknowledgements of all that was handed over, going on to
// send status updates, and confirms them.
func (s *session) flush(ctx context.Context) error {
	for {
		if err := s.r.cut(); err != nil {
			return err
		}
		step, cancel := context.WithTimeout(ctx, time.Second)
		err := s.producer.Flush(step)
		cancel()
		number, _, ok := s.producer.Oldest()
		s.confirmed = max(s.confirmed, s.tracker.Confirmable(number, ok))
		if serr := s.status(time.Now()); serr != nil {
			return fmt.Errorf("flush: %w", serr)
		}
		s.r.moved()
		switch {
		case err == nil:
			return nil
		case s.producer.Err() != nil:
			return s.producer.Err()
		case ctx.Err() != nil:
			return err
		}
	}
}
