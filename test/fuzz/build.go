package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is the test program of a package, built for fuzzing.
type program struct {
	path  string // of the program
	cache string // folder of Go's build cache that keeps interesting inputs
	err   error  // why there is none
}

// job is a target whose program has been built, or could not be.
type job struct {
	target
	program
}

// build builds the package of each target once and hands out its targets. One go
// command at a time, which uses all cores by itself: those that run side by side all
// compile what none of them has finished, and instrumented for fuzzing that is
// everything, the standard library too.
func build(ctx context.Context, dir string, targets []target) <-chan job {
	ready := make(chan job, len(targets))
	go func() {
		defer close(ready)
		cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
		if err != nil {
			err = fmt.Errorf("go env GOCACHE: %w", err)
		}
		var last string
		p := program{err: err}
		for _, t := range targets {
			if err == nil && t.pkg != last {
				if ctx.Err() != nil {
					return
				}
				last, p = t.pkg, buildPackage(ctx, dir, strings.TrimSpace(string(cache)), t)
			}
			ready <- job{t, p}
		}
	}()
	return ready
}

func buildPackage(ctx context.Context, dir, cache string, t target) program {
	p := program{
		path:  filepath.Join(dir, strings.ReplaceAll(t.pkg, "/", "_")+".test"),
		cache: filepath.Join(cache, "fuzz", filepath.FromSlash(t.pkg)), // as go test has it
	}
	command := exec.CommandContext(ctx, "go", "test", "-c", "-fuzz=.", "-o", p.path, ".")
	command.Dir = t.dir
	if out, err := command.CombinedOutput(); err != nil {
		p.err = fmt.Errorf("build: %w: %s", err, out)
	}
	return p
}
