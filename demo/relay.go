package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/relay"
	"github.com/walrelay/walrelay/replication"
	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/telemetry"
)

const (
	slot          = "walrelay_demo" // of the slot and the publication
	defaultListen = "127.0.0.1:9187"
	readyTimeout  = 20 * time.Second
	stopTimeout   = 15 * time.Second
)

// relaying is the production relay and its HTTP server, each in a goroutine.
type relaying struct {
	relay   *relay.Relay
	address string // of the status page

	stopRelay  context.CancelFunc
	stopServer context.CancelFunc
	ended      chan struct{} // closed when the relay has returned
	err        error         // of the relay; read after ended
	reported   bool          // err has been returned; used by one goroutine
	served     chan struct{} // closed when the server has returned
	serveErr   error         // read after served
}

// startRelay starts the relay and its HTTP server as `walrelay run` does and
// waits until the relay reads the slot. They live until stop, not until ctx ends.
func startRelay(ctx context.Context, o Options, postgres string, b *broker, log zerolog.Logger) (*relaying, error) {
	metrics := telemetry.NewMetrics(o.Version)
	r, err := relay.New(relay.Config{
		Replication: replication.Config{
			ConnString: postgres, Slot: slot, Publication: slot, AutoCreate: true, Instance: "demo",
		},
		Tables: []relay.Table{{
			Decoding: decoding.Table{Schema: "public", Name: "outbox"},
			Rules:    routing.Rules{Topic: b.template},
		}},
		Sink:     sink.Config{Brokers: b.addresses, ClientID: "walrelay-demo"},
		OnPoison: relay.PoisonStop,
		Version:  o.Version,
		Log:      log,
		Metrics:  metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	server, err := listen(o.HTTP, metrics, r, log)
	if err != nil {
		return nil, err
	}
	w := &relaying{relay: r, address: server.Addr(), ended: make(chan struct{}), served: make(chan struct{})}
	life := context.WithoutCancel(ctx)
	relayLife, stopRelay := context.WithCancel(life)
	serverLife, stopServer := context.WithCancel(life)
	w.stopRelay, w.stopServer = stopRelay, stopServer
	go func() {
		defer close(w.ended)
		w.err = r.Run(relayLife)
	}()
	go func() {
		defer close(w.served)
		w.serveErr = server.Run(serverLife)
	}()
	if err := w.waitReady(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// listen opens the status page at the given address; without one at the usual
// one, or where that is taken (another walrelay runs here) at a free port.
func listen(address string, metrics *telemetry.Metrics, r *relay.Relay, log zerolog.Logger) (*telemetry.Server, error) {
	if address != "" {
		server, err := telemetry.NewServer(telemetry.ServerConfig{Listen: address}, metrics, r, log)
		if err != nil {
			return nil, fmt.Errorf("status page: %w", err)
		}
		return server, nil
	}
	server, err := telemetry.NewServer(telemetry.ServerConfig{Listen: defaultListen}, metrics, r, log)
	if err != nil {
		server, err = telemetry.NewServer(telemetry.ServerConfig{Listen: "127.0.0.1:0"}, metrics, r, log)
	}
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	return server, nil
}

// waitReady waits until the relay says what /readyz would say.
func (w *relaying) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		ready, reasons := w.relay.Ready()
		if ready {
			return nil
		}
		select {
		case <-w.ended:
			return w.failure()
		case <-ctx.Done():
			why := make([]string, len(reasons))
			for i, r := range reasons {
				why[i] = r.Message
			}
			return fmt.Errorf("relay: not ready: %s: %w", strings.Join(why, "; "), ctx.Err())
		case <-poll.C:
		}
	}
}

// stop stops the relay gracefully: what it has read is delivered and confirmed.
func (w *relaying) stop() error {
	w.stopRelay()
	select {
	case <-w.ended:
	case <-time.After(stopTimeout):
		return fmt.Errorf("relay: has not stopped within %s", stopTimeout)
	}
	if w.err != nil && !w.reported {
		return w.failure()
	}
	return nil
}

// close stops the relay, if it still runs, and its HTTP server.
func (w *relaying) close() error {
	err := w.stop()
	w.stopServer()
	<-w.served
	if w.serveErr != nil {
		err = errors.Join(err, fmt.Errorf("status page: %w", w.serveErr))
	}
	return err
}

// failure is why the relay has returned without being asked to, or not well. It
// is reported once; close does not repeat it.
func (w *relaying) failure() error {
	w.reported = true
	if w.err == nil {
		return errors.New("relay: stopped without being asked to")
	}
	return fmt.Errorf("relay: %w", w.err)
}
