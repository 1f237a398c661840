package test_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPage_payloads: with http.show_payloads their beginning is on the page, as text.
func TestPage_payloads(t *testing.T) {
	t.Parallel()
	b := browse(t)
	s := open(t, "order")
	p := s.ready(t, "WALRELAY_HTTP_SHOW_PAYLOADS=true")
	openPage(t, b, p)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1, "word": "`+secretWord+` <img src=x onerror=window.harmed=1>"}`)
	b.shows(t, "events", secretWord+" <img src=x")
	if n := eval[float64](t, b, `document.querySelectorAll("img").length + (window.harmed || 0)`); n != 0 {
		t.Error("a payload became markup")
	}
	accessible(t, b)
	b.screenshot(t, "payloads")
	stop(t, p)
}

// TestPage_password: a browser is asked for it, and the live stream takes it, too.
func TestPage_password(t *testing.T) {
	t.Parallel()
	b := browse(t)
	s := open(t, "order")
	p := s.ready(t, "WALRELAY_HTTP_PASSWORD=open sesame", "WALRELAY_HTTP_TOKEN=token-0123456789")
	status, body, err := p.Get(t.Context(), "/")
	if err != nil || status != http.StatusUnauthorized || strings.Contains(body, "<html") {
		t.Errorf("/ without a password: %d %v %s", status, err, body)
	}
	if status, body, err = p.Get(t.Context(), "/readyz"); err != nil || status != http.StatusOK || !strings.Contains(body, `"ready": true`) {
		t.Errorf("/readyz without a password: %d %v %s", status, err, body)
	}
	for _, credentials := range []string{"walrelay:open%20sesame", "anybody:token-0123456789"} {
		b.do(t, "open with a password", chromedp.Navigate("http://"+credentials+"@"+p.Address+"/"))
		b.shows(t, "state", "streaming")
	}
	b.shows(t, "config", "http.password")
	if page := eval[string](t, b, "document.documentElement.outerHTML"); strings.Contains(page, "sesame") || strings.Contains(page, "token-0123456789") {
		t.Error("a secret is on the page")
	}
	stop(t, p)
}

// TestPage_standby: the page of an instance that stands by says so, calmly, and who has
// the slot; and when it takes over, that.
func TestPage_standby(t *testing.T) {
	t.Parallel()
	b := browse(t)
	s := open(t, "order")
	active := s.ready(t)
	p := s.start(t)
	waitReason(t, p, "standby")
	openPage(t, b, p)
	b.shows(t, "state", "standby")
	b.shows(t, "reasons-title", "What it waits for")
	b.shows(t, "reason-list", "reads from the slot; this one takes over when it stops")
	b.shows(t, "slot", "The instance that holds the slot looks at it.")
	b.waitFor(t, "the picture says it, too", `document.getElementById("way").textContent.includes("read by another")`)
	b.waitFor(t, "it is no alarm", `document.getElementById("reasons").classList.contains("calm") && document.getElementById("state").classList.contains("wait")`)
	if title := eval[string](t, b, "document.title"); !strings.HasPrefix(title, "Standby – ") {
		t.Errorf("the title is %q", title)
	}
	accessible(t, b)
	b.screenshot(t, "standby")
	active.Kill()
	b.shows(t, "state", "streaming")
	b.waitFor(t, "nothing is waited for any more", `document.getElementById("reasons").hidden`)
	s.one(t, 1)
	b.shows(t, "events", "Placed")
	stop(t, p)
}

// TestPage_full: so many pages are open that one more gets no stream. It says so,
// shows what it can, and is live when there is room.
func TestPage_full(t *testing.T) {
	t.Parallel()
	b := browse(t)
	s := open(t, "order")
	p := s.ready(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	refused := false
	for range 100 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if refused = answer.StatusCode == http.StatusServiceUnavailable; refused {
			break
		}
	}
	if !refused {
		t.Fatal("a hundred streams were served at a time")
	}
	b.do(t, "open the page", chromedp.Navigate("http://"+p.Address+"/"))
	b.shows(t, "lost", "too many pages are open")
	b.shows(t, "about", "up ") // what /status has
	leave()
	b.waitFor(t, "the page is live", `document.getElementById("lost").hidden`)
	b.shows(t, "state", "streaming")
	stop(t, p)
}
