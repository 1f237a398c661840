//go:build !failpoints

package failpoint

// Enabled says whether this program has failpoints.
const Enabled = false

// Pass ends the program with SIGKILL when this is the pass that was asked for.
func Pass(Point) {}
