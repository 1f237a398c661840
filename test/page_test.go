package test_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/walrelay/walrelay/test/harness"
)

// hostile are names that a careless page would take for markup.
const (
	hostileID   = `<img src=x onerror="window.harmed=1">`
	hostileKey  = `"><script>window.harmed=1</script>`
	hostileType = `<b onclick=window.harmed=1>Placed</b>`
	secretWord  = "payload-word-7c1f"
)

// slowly is a load that a person could follow.
var slowly = harness.Workload{Writers: 2, Aggregates: 50, Pause: 400 * time.Millisecond}

// openPage opens the relay's page and waits until it is live.
func openPage(t *testing.T, b *browser, p *harness.Process) {
	t.Helper()
	b.do(t, "open the page", chromedp.Navigate("http://"+p.Address+"/"))
	b.waitFor(t, "the page is live", `!document.body.classList.contains("stale") && document.getElementById("state-word").textContent !== "connecting"`)
}

// insert commits one event with the given texts.
func (s *shop) insert(t *testing.T, id, key, eventType, payload string) {
	t.Helper()
	s.Exec(t, fmt.Sprintf("INSERT INTO %s (id, aggregatetype, aggregateid, type, payload) VALUES ($1, 'order', $2, $3, $4::jsonb)", s.Table.Name), id, key, eventType, payload)
}

// TestPage: events flow, and a person can see it: in every size and colour, by
// keyboard and screen reader, and without harm from what users write.
func TestPage(t *testing.T) {
	t.Parallel()
	b := browse(t)
	server := harness.PrivatePostgres(t, map[string]string{"max_slot_wal_keep_size": "1GB"})
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order", "invoice")
	s.Exec(t, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN id TYPE text", s.Table.Name))
	p := s.ready(t)
	quiet := s.background(t, slowly)
	s.more(t, 50)
	openPage(t, b, p)

	t.Run("flow", func(t *testing.T) { pageFlow(t, b, s) })
	t.Run("hostile", func(t *testing.T) { pageHostile(t, b, s) })
	t.Run("readout", func(t *testing.T) { pageReadout(t, b) })
	t.Run("pause", func(t *testing.T) { pagePause(t, b) })
	t.Run("motion", func(t *testing.T) { pageMotion(t, b) })
	t.Run("keyboard", func(t *testing.T) {
		openPage(t, b, p) // the focus is nowhere then
		pageKeyboard(t, b)
	})
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1280, 900}, {"tablet", 820, 1100}, {"phone", 360, 740}} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(size.name+" "+scheme, func(t *testing.T) {
				b.window(t, size.width, size.height)
				b.scheme(t, scheme)
				pageLook(t, b, scheme)
				b.screenshot(t, "flow-"+size.name+"-"+scheme)
			})
		}
	}
	if said := b.console(); len(said) > 0 {
		t.Errorf("the console has %q", said)
	}
	quiet()
	b.window(t, 1280, 900)
	b.scheme(t, "light")
	t.Run("PostgreSQL away", func(t *testing.T) {
		if err := server.Stop("fast"); err != nil {
			t.Fatal(err)
		}
		b.waitFor(t, "PostgreSQL is broken in the picture", `document.querySelectorAll("#way .station.bad").length === 1 && document.querySelector("#way .station.bad").textContent.includes("PostgreSQL")`)
		b.waitFor(t, "it says why", `/WR01\d\d/.test(document.querySelector("#reasons:not([hidden]) .code")?.textContent)`)
		accessible(t, b)
		b.screenshot(t, "postgres-down")
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.shows(t, "state", "streaming")
		b.waitFor(t, "the reasons are gone", `document.getElementById("reasons").hidden`)
	})
	stop(t, p)
	b.waitFor(t, "the page says that the relay is gone", `!document.getElementById("lost").hidden`)
	b.screenshot(t, "gone")
}

// pageFlow: figures move, plots are drawn, events are named, payloads are not.
func pageFlow(t *testing.T, b *browser, s *shop) {
	b.shows(t, "state", "streaming")
	if title := eval[string](t, b, "document.title"); !strings.HasPrefix(title, "Streaming") {
		t.Errorf("title %q", title)
	}
	if icon := eval[string](t, b, "document.getElementById('favicon').href"); !strings.Contains(icon, "circle") {
		t.Errorf("favicon %q", icon)
	}
	const delivered = `Number(document.querySelectorAll("#figures .value")[5].textContent.replaceAll(",", ""))`
	first := eval[float64](t, b, delivered)
	b.waitFor(t, "the number of delivered events grows", fmt.Sprintf("%s > %g", delivered, max(first, 50)))
	b.waitFor(t, "throughput is above 0", `parseFloat(document.querySelector("#figures .value").textContent) > 0`)
	for _, line := range []string{"#plot-throughput .line.one", "#plot-latency .line.one", "#plot-latency .line.two", "#plot-backlog .line.one", "#plot-age .line.two"} {
		b.waitFor(t, line+" is drawn", fmt.Sprintf(`document.querySelector(%q)?.getTotalLength() > 5`, line))
	}
	if axes := eval[float64](t, b, `Math.min(...[...document.querySelectorAll(".plot")].map((p) => p.querySelectorAll(".axis").length))`); axes < 4 {
		t.Errorf("a plot has %g labels at its axes", axes)
	}
	b.waitFor(t, "the picture shows that all flows", `document.querySelectorAll("#way .station.good").length === 4 && document.querySelectorAll("#way .pipe.good").length === 3`)
	if words := b.text(t, "way-words"); !containsAll(words, "PostgreSQL WAL", s.Slot+": flowing", "Kafka", "events/s") {
		t.Errorf("the picture in words: %s", words)
	}
	s.insert(t, "event-to-look-for", "4711", "Placed", `{"seq": 1000000, "word": "`+secretWord+`"}`)
	b.shows(t, "events", "event-to-look-for")
	b.waitFor(t, "it is delivered", `[...document.querySelectorAll("#events tr")].find((r) => r.textContent.includes("event-to-look-for"))?.children[1].textContent.includes("yes")`)
	if page := eval[string](t, b, "document.documentElement.outerHTML"); strings.Contains(page, secretWord) {
		t.Error("a payload is on the page")
	}
	b.shows(t, "topics", s.Prefix+"order")
	b.waitFor(t, "a topic's rate is above 0", `parseFloat(document.querySelector("#topics .lively")?.textContent) > 0`)
	b.shows(t, "slot", "of 1 GiB held back")
	if got := eval[string](t, b, `document.querySelector("#slot [role=meter]").getAttribute("aria-valuetext").replaceAll("\u00a0", " ")`); !containsAll(got, "percent", "of 1 GiB") {
		t.Errorf("the meter says %q", got)
	}
	b.shows(t, "config", "postgres.url")
	b.shows(t, "about", "up ")
}

// pageHostile: what users write stays text.
func pageHostile(t *testing.T, b *browser, s *shop) {
	s.insert(t, hostileID, hostileKey, hostileType, `{"seq": 1000001}`)
	for _, text := range []string{hostileID, hostileKey, hostileType} {
		b.shows(t, "events", text)
	}
	b.shows(t, "topics", hostileType)
	if n := eval[float64](t, b, `document.querySelectorAll("img, b, body script ~ script, table script").length + (window.harmed || 0)`); n != 0 {
		t.Error("text became markup")
	}
}

// pageReadout: pointer and keys read the plots, all four at one time.
func pageReadout(t *testing.T, b *browser) {
	b.waitFor(t, "a few samples are there", `document.querySelector("#plot-throughput .canvas").getAttribute("aria-valuemax") > 4`)
	eval[bool](t, b, `(document.querySelector("#plot-latency .canvas").focus(), true)`)
	b.do(t, "arrow keys", chromedp.KeyEvent(kb.ArrowLeft+kb.ArrowLeft))
	b.waitFor(t, "crosshairs are in all plots", `document.querySelectorAll(".plot .cross").length === 4`)
	value := eval[string](t, b, `document.activeElement.getAttribute("aria-valuetext")`)
	if !containsAll(value, ":", "p50", "p99") {
		t.Errorf("a screen reader hears %q", value)
	}
	b.do(t, "escape", chromedp.KeyEvent(kb.Escape))
	b.waitFor(t, "the crosshairs are gone", `!document.querySelector(".plot .cross")`)
	eval[bool](t, b, `(document.querySelector("#plots").scrollIntoView(), true)`)
	place := eval[[]float64](t, b, `(() => { const r = document.querySelector("#plot-throughput .canvas").getBoundingClientRect(); return [r.right - 30, r.top + r.height / 2]; })()`)
	b.do(t, "point", chromedp.MouseEvent(chromedp.MouseMoved, place[0], place[1]))
	b.waitFor(t, "the pointer chooses a time", `/\d\d:\d\d:\d\d/.test(document.querySelector("#plot-age .readout .when")?.textContent)`)
	b.do(t, "away", chromedp.MouseEvent(chromedp.MouseMoved, 2, 2))
	b.waitFor(t, "the readout is of now", `!document.querySelector(".plot .cross")`)
	b.do(t, "range", chromedp.Click(chromedp.CSS(".range label:last-child")))
	b.waitFor(t, "ten minutes are chosen", `document.querySelector(".range input:checked").value === "600"`)
	b.do(t, "table", chromedp.Click(chromedp.CSS("#minutes-box summary")))
	b.waitFor(t, "the plots are there as a table", `document.querySelectorAll("#minutes tr").length > 0`)
}

// pagePause: what moves can be held.
func pagePause(t *testing.T, b *browser) {
	b.do(t, "pause", chromedp.Click(chromedp.ID("pause")))
	held := b.text(t, "figures")
	before := eval[float64](t, b, `performance.now()`)
	harness.Never(t, 2500*time.Millisecond, "a paused page changes", func() bool { return b.text(t, "figures") != held })
	if eval[float64](t, b, `performance.now()`)-before < 2000 {
		t.Error("the test is wrong: the page stood still by itself")
	}
	b.do(t, "go on", chromedp.Click(chromedp.ID("pause")))
	b.waitFor(t, "it goes on", fmt.Sprintf(`document.getElementById("figures").textContent !== %q`, held))
}

// pageMotion: the picture moves, but not for who has asked for stillness.
func pageMotion(t *testing.T, b *browser) {
	const moves = `document.getAnimations().some((a) => a.playState === "running")`
	b.wants(t, "light", "no-preference")
	b.waitFor(t, "what flows moves", moves)
	b.wants(t, "light", "reduce")
	b.waitFor(t, "nothing moves", "!"+moves)
}

// pageKeyboard: everything is reached by Tab, in the order of the page, with a
// visible focus, and nothing holds it.
func pageKeyboard(t *testing.T, b *browser) {
	const focused = `(() => { const e = document.activeElement; return e === document.body ? "" :
		e.role === "slider" ? e.parentElement.id : e.id || e.name || e.ariaLabel || e.textContent; })()`
	var order []string
	for range 40 {
		b.do(t, "tab", chromedp.KeyEvent(kb.Tab))
		at := eval[string](t, b, focused)
		if at == "" {
			break
		}
		order = append(order, at)
		if at != "range" && !eval[bool](t, b, `getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
			t.Errorf("the focus cannot be seen at %s", at)
		}
	}
	got := strings.Join(order, ", ")
	want := "Skip to the picture, pause, range, plot-throughput, plot-latency, plot-backlog, plot-age, " +
		"The same as a table, by the minute, Topics and event types, Last events, config-all, Configuration, metrics, status, readiness, health"
	if got != want {
		t.Errorf("the order of focus is\n%s, want\n%s", got, want)
	}
}

// pageLook: it fits, keeps to the colours asked for, and axe finds nothing.
func pageLook(t *testing.T, b *browser, scheme string) {
	b.settle(t)
	if wide := eval[float64](t, b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		t.Errorf("%g pixels are beyond the right edge: %s", wide, eval[string](t, b,
			`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .unseen")).map((e) => e.tagName + "." + e.className).slice(0, 9).join(" ")`))
	}
	light := eval[float64](t, b, `getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3`)
	if dark := light < 80; dark != (scheme == "dark") {
		t.Errorf("the ground's lightness is %g with %s colours", light, scheme)
	}
	accessible(t, b)
}

// accessible has axe-core judge the page by WCAG 2.2 AA and good practice.
func accessible(t *testing.T, b *browser) {
	t.Helper()
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](t, b, string(axe)+";true")
	type node struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	}
	var result struct {
		Passes     int
		Violations []struct {
			ID, Help string
			Nodes    []node
		}
	}
	answer := eval[string](t, b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
		.then((r) => JSON.stringify({passes: r.passes.length, violations: r.violations}))`)
	if err := json.Unmarshal([]byte(answer), &result); err != nil {
		t.Fatal(err)
	}
	for _, v := range result.Violations {
		for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
			t.Errorf("axe: %s (%s, %d times): %.300s: %s", v.ID, v.Help, len(v.Nodes), n.HTML, n.FailureSummary)
		}
	}
	if result.Passes < 20 {
		t.Errorf("the test is wrong: only %d rules of axe found anything to look at", result.Passes)
	}
}

// TestPage_outage: Kafka is away, and the page says so, why, and what to do; then
// it is back. A relay that stands still, or has gone, is not taken for one that
// works.
func TestPage_outage(t *testing.T) {
	t.Parallel()
	b := browse(t)
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.Database(t), kafka, "order")
	p := s.ready(t)
	s.background(t, slowly)
	s.more(t, 50)
	openPage(t, b, p)
	b.shows(t, "state", "streaming")
	if err := kafka.Stop(); err != nil {
		t.Fatal(err)
	}
	pageBlocked(t, b)
	if err := kafka.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.shows(t, "state", "streaming")
	b.waitFor(t, "nothing is unsent for long", fmt.Sprintf(`!document.querySelector("#figures .bad, #figures .wait") && document.getElementById("reasons").hidden && %s < 5`, oldest))
	b.waitFor(t, "the errors are over", `document.querySelector("#errors li.over") && !document.querySelector("#errors li.on")`)
	b.screenshot(t, "recovered")
	pageFrozen(t, b, p)
}

// oldest is the shown age of the oldest unsent event in seconds, in JavaScript.
const oldest = `[...document.querySelectorAll("#figures .value")[3].textContent.matchAll(/([\d.]+)\s(h|min|s|ms)/g)]
	.reduce((sum, [, n, unit]) => sum + n * {h: 3600, min: 60, s: 1, ms: 0.001}[unit], 0)`

// pageBlocked: Kafka is away.
func pageBlocked(t *testing.T, b *browser) {
	t.Helper()
	b.shows(t, "state", "blocked")
	b.waitFor(t, "it says why, with a code and what to do", `!document.getElementById("reasons").hidden && /WR0\d\d\d/.test(document.querySelector("#reasons .code")?.textContent) && document.querySelector("#reasons .advice")?.textContent.length > 30`)
	t.Logf("while away: %s", b.text(t, "reason-list"))
	b.shows(t, "announce", "blocked")
	if title := eval[string](t, b, "document.title"); !strings.HasPrefix(title, "Blocked") {
		t.Errorf("title %q", title)
	}
	b.waitFor(t, "Kafka is broken in the picture", `document.querySelectorAll("#way .station.bad, #way .pipe.bad").length === 2 && document.querySelector("#way .station.bad").textContent.includes("Kafka")`)
	for range 3 {
		last := eval[float64](t, b, oldest)
		b.waitFor(t, fmt.Sprintf("the age of the oldest unsent event grows beyond %g s", last), fmt.Sprintf(`%s > %g`, oldest, last))
	}
	b.waitFor(t, "the plot of the age rises", `document.querySelector("#plot-age .line").getTotalLength() > 20`)
	b.waitFor(t, "the error is among the errors, going on", `document.querySelector("#errors li.on .code")`)
	pageLook(t, b, "light")
	b.screenshot(t, "kafka-down")
	b.scheme(t, "dark")
	b.window(t, 360, 740)
	pageLook(t, b, "dark")
	b.screenshot(t, "kafka-down-phone-dark")
	b.window(t, 1280, 900)
	b.scheme(t, "light")
}

// pageFrozen: the relay's process stands still, which closes no connection.
func pageFrozen(t *testing.T, b *browser, p *harness.Process) {
	t.Helper()
	b.console() // a refused connection is an error there
	p.Pause()
	b.waitFor(t, "the page says that no word comes", `!document.getElementById("lost").hidden && /since \d\d:\d\d:\d\d/.test(document.getElementById("lost").textContent)`)
	if title := eval[string](t, b, "document.title"); !strings.HasPrefix(title, "No connection") {
		t.Errorf("title %q", title)
	}
	b.shows(t, "announce", "lost")
	b.screenshot(t, "frozen")
	p.Resume()
	b.waitFor(t, "the page is live again", `document.getElementById("lost").hidden`)
	b.shows(t, "announce", "streaming")
}
