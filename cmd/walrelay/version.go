package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Set by the release: -ldflags "-X main.version=1.2.3 -X main.commit=abcdef". Else
// what the Go command has put into the binary counts.
var (
	version string
	commit  string
)

// build is what runs.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// buildInfo tells what runs.
func buildInfo() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.complete()
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	revision, modified := "", false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if b.Commit == "" && revision != "" {
		b.Commit = revision
		if modified {
			b.Commit += " (modified)"
		}
	}
	return b.complete()
}

// complete names what is not known.
func (b build) complete() build {
	if b.Version == "" {
		b.Version = "devel"
	}
	if b.Commit == "" {
		b.Commit = "unknown"
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version",
		Args:  cobra.NoArgs,
		RunE:  action(a.version),
	}
	a.outputFlag(c)
	return c
}

func (a *app) version(_ context.Context, _ *pflag.FlagSet) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	b := buildInfo()
	if asJSON {
		return a.printJSON(b)
	}
	_, err = fmt.Fprintf(a.stdout, "walrelay %s\ncommit   %s\ngo       %s\n", b.Version, b.Commit, b.Go)
	return err
}

// printJSON prints a value as indented JSON.
func (a *app) printJSON(value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", text)
	return err
}
