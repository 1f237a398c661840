package test_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/walrelay/walrelay/test/harness"
)

// What the tests of the status page need of the environment.
const (
	chromiumVariable    = "WALRELAY_TEST_CHROMIUM"    // path of the browser
	screenshotsVariable = "WALRELAY_TEST_SCREENSHOTS" // folder for the screenshots; default: the test's artifacts
)

// chromium finds a browser, or skips the test as a missing server does.
func chromium(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell", "chrome"}
	if name := os.Getenv(chromiumVariable); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing := fmt.Sprintf("no browser for the status page: none of %s is there; install Chromium or set %s", strings.Join(names, ", "), chromiumVariable)
	if harness.ToolsRequired() {
		t.Fatal(missing)
	}
	harness.Skip(t, missing)
	return ""
}

// browser is a tab of a browser of the test's own.
type browser struct {
	ctx context.Context

	mu   sync.Mutex
	said []string // warnings and errors of the console
}

// browse starts a browser, with a window of a desktop's size and light colours.
func browse(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.CombinedOutput(io.Discard))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	allocator, cancel := chromedp.NewExecAllocator(background(t), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // starts it; its life is ctx's
		t.Fatalf("start the browser: %v", err)
	}
	t.Cleanup(func() { b.close(t) })
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return
			}
			if message.IsException() || message.Type == "error" || message.Type == "warning" {
				b.mu.Lock()
				b.said = append(b.said, message.String())
				b.mu.Unlock()
			}
		}
	}()
	b.window(t, 1280, 900)
	b.scheme(t, "light")
	return b
}

// close ends the browser in order: its profile is removed afterwards.
func (b *browser) close(t *testing.T) {
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Logf("close the browser: %v", err)
	}
}

// do runs steps within a time limit.
func (b *browser) do(t *testing.T, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// window sets the size of the page in pixels.
func (b *browser) window(t *testing.T, width, height int64) {
	t.Helper()
	b.do(t, "resize", chromedp.EmulateViewport(width, height))
}

// scheme sets the colours that the page is asked for. Nothing is to move then.
func (b *browser) scheme(t *testing.T, scheme string) {
	t.Helper()
	b.wants(t, scheme, "reduce")
}

// wants sets what the person before the screen has asked for.
func (b *browser) wants(t *testing.T, scheme, motion string) {
	t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	if err != nil {
		t.Fatalf("set colours and motion: %v", err)
	}
}

// eval evaluates JavaScript in the page; a promise is waited for.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %.200s: %v", expression, err)
	}
	return value
}

// text is what the element with that id says to somebody who looks at it.
func (b *browser) text(t *testing.T, id string) string {
	t.Helper()
	return eval[string](t, b, fmt.Sprintf("document.getElementById(%q).textContent", id))
}

// waitFor waits until the expression is true in the page.
func (b *browser) waitFor(t *testing.T, what, expression string) {
	t.Helper()
	failed := t.Failed()
	defer func() {
		if t.Failed() && !failed {
			t.Logf("the page says: %.3000s", eval[string](t, b, "document.body.innerText"))
		}
	}()
	harness.Eventually(t, soon, what, func() bool { return eval[bool](t, b, "!!("+expression+")") })
}

// shows waits until the element with that id contains the text, in any case.
func (b *browser) shows(t *testing.T, id, text string) {
	t.Helper()
	b.waitFor(t, fmt.Sprintf("#%s shows %q", id, text), fmt.Sprintf("document.getElementById(%q).textContent.replaceAll('\\u00a0', ' ').toLowerCase().includes(%q)", id, strings.ToLower(text)))
}

// console returns the warnings and errors since the last call.
func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := b.said
	b.said = nil
	return said
}

// screenshot makes a picture of the whole page for people to look at.
func (b *browser) screenshot(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv(screenshotsVariable)
	if folder == "" {
		folder = t.ArtifactDir()
	}
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644))
	}
	if err != nil {
		t.Errorf("screenshot %s: %v", name, err)
	}
}

// settle waits until the page has been drawn anew.
func (b *browser) settle(t *testing.T) {
	t.Helper()
	eval[bool](t, b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}
