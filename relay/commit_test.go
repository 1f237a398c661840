package relay

import (
	"errors"
	"testing"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/replication"
)

// The three places where the server says where a transaction ends have to agree.
func TestSoundCommit(t *testing.T) {
	for name, c := range map[string]struct {
		start, server, end replication.LSN
		sound              bool
	}{
		"as sent":                       {0x1030, 0x1030, 0x1030, true},
		"data start changed":            {0x2030, 0x1030, 0x1030, false},
		"server's end changed":          {0x1030, 0x0030, 0x1030, false},
		"end of transaction changed":    {0x1030, 0x1030, 0x1031, false},
		"begins where nothing is known": {0, 0x1030, 0x1030, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := soundCommit(replication.Frame{WALStart: c.start, ServerWALEnd: c.server}, decoding.Commit{CommitLSN: 0x1000, EndLSN: c.end})
			var damaged *decoding.ProtocolError
			if c.sound && err != nil || !c.sound && (!errors.As(err, &damaged) || damaged.Kind != 'C' || damaged.LSN != 0x1000) {
				t.Errorf("got %v", err)
			}
		})
	}
}
