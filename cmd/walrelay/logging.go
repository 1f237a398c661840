package main

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/walrelay/walrelay/config"
)

// timeFormat is RFC 3339 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// logTime sets how zerolog writes times; it knows no other way than globals.
var logTime = sync.OnceFunc(func() {
	zerolog.TimeFieldFormat = timeFormat
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
})

// logger makes the program's log on stderr: for people on a terminal, JSON
// otherwise.
func (a *app) logger(c config.Log) (zerolog.Logger, error) {
	logTime()
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		return zerolog.Nop(), withCode(exitConfig, err)
	}
	isTerminal, colours := a.terminal(a.stderr)
	log := zerolog.New(a.stderr)
	if c.Format == "console" || c.Format == "auto" && isTerminal {
		log = zerolog.New(zerolog.ConsoleWriter{Out: a.stderr, NoColor: !colours, TimeFormat: timeFormat, TimeLocation: time.UTC})
	}
	return log.Level(level).With().Timestamp().Logger(), nil
}
