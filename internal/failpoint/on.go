//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Enabled says whether this program has failpoints.
const Enabled = true

// armed is where to end and how many passes are left until then.
var armed struct {
	at   Point
	left atomic.Int64
}

func init() {
	at, pass, err := parse(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", Variable, err)
		os.Exit(2)
	}
	armed.at = at
	armed.left.Store(pass)
}

// parse reads "name" or "name:pass"; empty is nowhere.
func parse(text string) (at Point, pass int64, err error) {
	if text == "" {
		return "", 0, nil
	}
	name, number, numbered := strings.Cut(text, ":")
	if !slices.Contains(Points, Point(name)) {
		return "", 0, fmt.Errorf("there is no failpoint %q: use one of %q", name, Points)
	}
	if !numbered {
		return Point(name), 1, nil
	}
	pass, err = strconv.ParseInt(number, 10, 64)
	if err != nil || pass < 1 {
		return "", 0, fmt.Errorf("pass %q of failpoint %s: use a number from 1", number, name)
	}
	return Point(name), pass, nil
}

// Pass ends the program with SIGKILL when this is the pass that was asked for.
func Pass(at Point) {
	if at != armed.at || armed.left.Add(-1) != 0 {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("failpoint %s: %v", at, err))
	}
	select {} // nothing more happens here before the signal is there
}
