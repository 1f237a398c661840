package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/relay"
)

// explainWidth is how wide the text is where no terminal says otherwise.
const explainWidth = 80

func (a *app) explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain an error code: what has happened and what to do",
		Long: `Explains the code of an error (WR0301), as the log, /status, the status page and
` + "`walrelay status`" + ` show it: what has happened, what it means for events, and what to do.
Without a code it lists all.`,
		Args: cobra.MaximumNArgs(1),
		RunE: action(a.explain),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for i := range relay.Troubles {
				codes = append(codes, relay.Troubles[i].Code+"\t"+relay.Troubles[i].Title)
			}
			return codes[:len(codes)*(1-len(args))], cobra.ShellCompDirectiveNoFileComp
		},
	}
	a.outputFlag(c)
	return c
}

// explanation is an error code as JSON.
type explanation struct {
	Code   string `json:"code"`
	Side   string `json:"side"`
	Title  string `json:"title"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
	Retry  bool   `json:"retry"`               // waited out without end
	Exit   int    `json:"exit_code,omitempty"` // of an error that ends the process
}

func explanationOf(t *relay.Trouble) explanation {
	return explanation{Code: t.Code, Side: t.Side, Title: t.Title, Cause: t.Cause, Remedy: t.Remedy, Retry: t.Retry, Exit: t.Exit}
}

func (a *app) explain(_ context.Context, flags *pflag.FlagSet) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return a.explainAll(asJSON)
	}
	t := findTrouble(flags.Arg(0))
	switch {
	case t == nil:
		return &usageError{unknownCode(flags.Arg(0))}
	case asJSON:
		return a.printJSON(explanationOf(t))
	}
	p := &printer{width: explainWidth}
	if terminal, colours := a.terminal(a.stdout); terminal {
		p.colours = colours
		if width, _ := terminalSize(a.stdout); width > 0 {
			p.width = min(width, explainWidth)
		}
	}
	const column = 8
	p.add(p.bold(pad(t.Code, column)), "", p.bold(t.Title))
	p.add(pad("", column), "", t.Side+" · "+consequence(t))
	p.blank()
	p.add(p.bold(pad("cause", column)), strings.Repeat(" ", column), t.Cause)
	p.blank()
	p.add(p.bold(pad("remedy", column)), strings.Repeat(" ", column), t.Remedy)
	_, err = fmt.Fprintln(a.stdout, strings.Join(p.lines, "\n"))
	return err
}

// consequence is what the relay does about an error.
func consequence(t *relay.Trouble) string {
	if t.Retry {
		return "waits"
	}
	return fmt.Sprintf("exit code %d", t.Exit)
}

// explainAll lists the codes.
func (a *app) explainAll(asJSON bool) error {
	if asJSON {
		list := make([]explanation, len(relay.Troubles))
		for i := range relay.Troubles {
			list[i] = explanationOf(&relay.Troubles[i])
		}
		return a.printJSON(list)
	}
	var b strings.Builder
	for i := range relay.Troubles {
		t := &relay.Troubles[i]
		fmt.Fprintf(&b, "%s  %-8s  %-11s  %s\n", t.Code, t.Side, consequence(t), t.Title)
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}

// findTrouble finds a code, however it is written: WR0301, wr0301, 0301, 301.
func findTrouble(text string) *relay.Trouble {
	code := normalCode(text)
	i := slices.IndexFunc(relay.Troubles, func(t relay.Trouble) bool { return t.Code == code })
	if i < 0 {
		return nil
	}
	return &relay.Troubles[i]
}

func normalCode(text string) string {
	digits := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "WR")
	if len(digits) < 4 {
		digits = strings.Repeat("0", 4-len(digits)) + digits
	}
	return "WR" + digits
}

// maxNear bounds what an unknown code was perhaps meant to be.
const maxNear = 5

// unknownCode says that there is no such code, with the nearest: one digit other,
// two exchanged, or the word in its title.
func unknownCode(text string) string {
	var near []string
	code, word := normalCode(text), strings.ToLower(text)
	for i := range relay.Troubles {
		t := &relay.Troubles[i]
		if len(near) < maxNear && (slip(code, t.Code) || len(word) > 2 && strings.Contains(strings.ToLower(t.Title), word)) {
			near = append(near, "\n  "+t.Code+"  "+t.Title)
		}
	}
	message := fmt.Sprintf("there is no error code %q; `walrelay explain` lists all", text)
	if len(near) > 0 {
		message += ". Perhaps:" + strings.Join(near, "")
	}
	return message
}

// slip says that one of two codes may be a slip of the pen for the other.
func slip(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	var places []int
	for i := range len(a) {
		if a[i] != b[i] {
			places = append(places, i)
		}
	}
	return len(places) == 1 || len(places) == 2 && places[1] == places[0]+1 && a[places[0]] == b[places[1]] && a[places[1]] == b[places[0]]
}
