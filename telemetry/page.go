package telemetry

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"strings"
)

// pageSources are the parts of the status page; page/page.html has the places
// where style and script go.
//
//go:embed page/page.html page/*.css page/*.js
var pageSources embed.FS

// pageScripts are the parts of its script, in order; they share one scope.
var pageScripts = []string{"format.js", "dom.js", "way.js", "plot.js", "parts.js", "tables.js", "main.js"}

// page is the status page: one document that needs nothing but this server, and
// the policy that holds it to that.
var page, pagePolicy = makePage()

// makePage puts the parts together. The policy names style and script by their
// digests: what somebody might smuggle into the page does not run.
func makePage() (document []byte, policy string) {
	read := func(name string) string {
		text, err := pageSources.ReadFile("page/" + name)
		if err != nil {
			panic("telemetry: " + err.Error()) // embedded at build time
		}
		return string(text)
	}
	style := read("page.css")
	var script strings.Builder
	script.WriteString("(() => {\n\"use strict\";\n") // a scope of its own, not the window's
	for _, name := range pageScripts {
		script.WriteString(read(name))
	}
	script.WriteString("})();\n")
	html := read("page.html")
	html = strings.Replace(html, "<style></style>", "<style>"+style+"</style>", 1)
	html = strings.Replace(html, "<script></script>", "<script>"+script.String()+"</script>", 1)
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return []byte(html), "default-src 'none'; style-src " + digest(style) + "; script-src " + digest(script.String()) +
		"; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// servePage answers with the page.
func servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(page) // a client that has gone needs nothing
}
