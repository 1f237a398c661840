package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// urlVariable carries the connection string to the children, so that a password
// never stands in the process list.
const urlVariable = "BENCH_POSTGRES_URL"

// loopResult is what "bench bareloop" prints: its own view of the run.
type loopResult struct {
	Rows        int   `json:"rows"`
	FirstRowNS  int64 `json:"first_row_unix_ns"`
	LastFrameNS int64 `json:"last_frame_unix_ns"`
}

// bareLoop is the floor for a Go program: it reads pgoutput frames of a slot off
// a hijacked pgconn connection, counts rows by the first byte of a message,
// confirms once a second, and decodes nothing. It ends after the commit of the
// last row it was told to expect, or once the server is past --end.
func bareLoop(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("bareloop", flag.ContinueOnError)
	slot := f.String("slot", "", "replication slot")
	publication := f.String("publication", "", "publication")
	end := f.String("end", "", "LSN at which the backlog ends")
	want := f.Int("want", 0, "rows in the backlog")
	if err := f.Parse(args); err != nil {
		return err
	}
	endLSN, err := pglogrepl.ParseLSN(*end)
	if err != nil {
		return fmt.Errorf("--end: %w", err)
	}
	conn, err := startReplication(ctx, os.Getenv(urlVariable), *slot, *publication)
	if err != nil {
		return err
	}
	defer conn.Conn.Close()
	result, err := readRows(conn, endLSN, *want)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

// startReplication opens a replication connection, starts streaming where the
// slot stands and takes the connection out of pgconn's hands: a read through
// pgconn costs a context per frame.
func startReplication(ctx context.Context, url, slot, publication string) (*pgconn.HijackedConn, error) {
	cfg, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["replication"] = "database"
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	plugin := []string{"proto_version '1'", "publication_names '" + publication + "'"}
	err = pglogrepl.StartReplication(ctx, conn, slot, 0, pglogrepl.StartReplicationOptions{PluginArgs: plugin})
	if err != nil {
		return nil, fmt.Errorf("start replication on slot %q: %w", slot, err)
	}
	return conn.Hijack()
}

// readRows reads to the end of the backlog and confirms it.
func readRows(conn *pgconn.HijackedConn, end pglogrepl.LSN, want int) (loopResult, error) {
	const confirmEvery = 1024 // frames between two looks at the clock
	var (
		r         loopResult
		confirmed pglogrepl.LSN
		last      = time.Now()
	)
	for frame := 1; ; frame++ {
		msg, err := conn.Frontend.Receive()
		if err != nil {
			return r, fmt.Errorf("receive: %w", err)
		}
		data, err := copyData(msg)
		if err != nil {
			return r, err
		}
		reply := false
		switch data[0] {
		case pglogrepl.XLogDataByteID:
			switch data[xlogDataHeader] {
			case 'I':
				if r.Rows++; r.Rows == 1 {
					r.FirstRowNS = time.Now().UnixNano()
				}
			case 'C':
				confirmed = commitEnd(data[xlogDataHeader:])
			}
		case pglogrepl.PrimaryKeepaliveMessageByteID:
			confirmed, reply = pglogrepl.LSN(binary.BigEndian.Uint64(data[1:])), data[17] == 1
		}
		done := confirmed >= end || (r.Rows >= want && data[0] == 'w' && data[xlogDataHeader] == 'C')
		if done || reply || (frame%confirmEvery == 0 && time.Since(last) > time.Second) {
			if err := sendStatus(conn, confirmed); err != nil {
				return r, fmt.Errorf("confirm: %w", err)
			}
			last = time.Now()
		}
		if done {
			r.LastFrameNS = time.Now().UnixNano()
			return r, endCopy(conn)
		}
	}
}

// xlogDataHeader is the length of what precedes the pgoutput message in an
// XLogData frame: its type, WAL start, server WAL end and send time.
const xlogDataHeader = 1 + 8 + 8 + 8

// copyData returns the bytes of a CopyData message that is long enough for its
// kind; anything else ends the run.
func copyData(msg pgproto3.BackendMessage) ([]byte, error) {
	switch m := msg.(type) {
	case *pgproto3.CopyData:
		short := len(m.Data) < 18 || (m.Data[0] == pglogrepl.XLogDataByteID && len(m.Data) <= xlogDataHeader)
		if short {
			return nil, errors.New("short replication frame")
		}
		return m.Data, nil
	case *pgproto3.ErrorResponse:
		return nil, pgconn.ErrorResponseToPgError(m)
	default:
		return nil, fmt.Errorf("unexpected message %T in the replication stream", msg)
	}
}

// commitEnd returns the end LSN of a pgoutput Commit message, 0 for a short one.
func commitEnd(msg []byte) pglogrepl.LSN {
	if len(msg) < 18 {
		return 0
	}
	return pglogrepl.LSN(binary.BigEndian.Uint64(msg[10:]))
}

// sendStatus sends a standby status update that confirms lsn. Zero is not sent:
// the server would take it for a position.
func sendStatus(conn *pgconn.HijackedConn, lsn pglogrepl.LSN) error {
	if lsn == 0 {
		return nil
	}
	data := make([]byte, 0, 34)
	data = append(data, pglogrepl.StandbyStatusUpdateByteID)
	for range 3 { // written, flushed, applied
		data = binary.BigEndian.AppendUint64(data, uint64(lsn))
	}
	postgresEpoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	data = binary.BigEndian.AppendUint64(data, uint64(time.Since(postgresEpoch).Microseconds()))
	data = append(data, 0)
	conn.Frontend.Send(&pgproto3.CopyData{Data: data})
	return conn.Frontend.Flush()
}

// endCopy ends the stream in order, so that the server takes the last status.
func endCopy(conn *pgconn.HijackedConn) error {
	conn.Frontend.Send(&pgproto3.CopyDone{})
	if err := conn.Frontend.Flush(); err != nil {
		return fmt.Errorf("end copy: %w", err)
	}
	for {
		msg, err := conn.Frontend.Receive()
		if err != nil {
			return fmt.Errorf("end copy: %w", err)
		}
		if _, ok := msg.(*pgproto3.CommandComplete); ok {
			return nil
		}
		if _, ok := msg.(*pgproto3.CopyDone); ok {
			return nil
		}
	}
}
