package harness

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// ballast is the file that fills a broker's disk.
const ballast = "ballast"

// Fill leaves so many bytes free on the disk of a broker with KafkaOptions.Disk.
func (b *Broker) Fill(t testing.TB, free int64) {
	t.Helper()
	if err := b.fill(free); err != nil {
		t.Fatalf("fill the disk of %s: %v", b.origin, err)
	}
}

func (b *Broker) fill(free int64) error {
	n, ok := b.node.(*javaNode)
	if !ok || !n.mounted {
		return errors.New("it has no disk of its own")
	}
	file, err := os.OpenFile(filepath.Join(n.data(), ballast), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(n.data(), &disk); err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for left := int64(disk.Bavail)*int64(disk.Bsize) - free; left > 0; {
		n, err := file.Write(zeros[:min(left, int64(len(zeros)))])
		if errors.Is(err, syscall.ENOSPC) {
			return nil // the broker writes, too
		}
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// Empty gives the disk its space back.
func (b *Broker) Empty(t testing.TB) {
	t.Helper()
	if n, ok := b.node.(*javaNode); ok {
		if err := os.Remove(filepath.Join(n.data(), ballast)); err != nil {
			t.Fatalf("empty the disk of %s: %v", b.origin, err)
		}
	}
}

// Died says whether the broker's process has ended by itself.
func (b *Broker) Died() bool {
	select {
	case <-b.node.exited():
		return true
	default:
		return false
	}
}
