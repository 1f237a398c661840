package main

import (
	"io"

	"github.com/mattn/go-isatty"
)

// terminal tells whether w is a terminal that may get colours: NO_COLOR
// (https://no-color.org) and a dumb terminal say no to colours.
func (a *app) terminal(w io.Writer) (isTerminal, colours bool) {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return false, false
	}
	return true, a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// The colours of a finding. All escape sequences are equally long, so that columns
// stay aligned.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	normal = "\x1b[39m"
)

// paint colours a text if colours are allowed.
func paint(text, colour string, colours bool) string {
	if !colours {
		return text
	}
	return colour + text + normal
}
