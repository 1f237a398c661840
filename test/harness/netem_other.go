//go:build !linux

package harness

import (
	"errors"
	"testing"
)

var errNotHere = errors.New("it takes Linux")

func mountDisk(string, int64) error { return errNotHere }

func unmountDisk(string) error { return errNotHere }

// NoNetwork says why there is none.
func NoNetwork() error { return errNotHere }

// Network is a network of which packets get lost: on Linux alone.
type Network struct{}

// NewNetwork skips the test: see netem_linux.go.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	toolMissing(t, "network that loses packets", errNotHere)
	return nil
}

func (*Network) Lose(testing.TB, float64)              {}
func (*Network) Lost(testing.TB) int                   { return 0 }
func (*Network) Into(testing.TB, string) *Proxy        { return nil }
func (*Network) OutOf(testing.TB, string) *Proxy       { return nil }
func (*Network) Program(_ testing.TB, p string) string { return p }
