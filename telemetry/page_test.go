package telemetry

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestPage: it needs nothing but this server, and its policy holds it to that.
func TestPage(t *testing.T) {
	w := httptest.NewRecorder()
	serve(ServerConfig{}, &relay{}).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	body := w.Body.String()
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("code %d, type %q", w.Code, w.Header().Get("Content-Type"))
	}
	for _, link := range []string{`href="status"`, `href="readyz"`, `href="healthz"`, `href="metrics"`} {
		if !strings.Contains(body, link) {
			t.Errorf("no %s", link)
		}
	}
	if strings.Contains(body, "<style></style>") || strings.Contains(body, "<script></script>") {
		t.Error("style or script was not put in")
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Count(policy, "'sha256-") != 2 {
		t.Errorf("content security policy: %s", policy)
	}
}

// TestPage_sources keeps what makes a page unsafe, or dependent on others, out of
// its sources.
func TestPage_sources(t *testing.T) {
	elsewhere := regexp.MustCompile(`[a-z]+://[^\s'"` + "`" + `]*|@import|url\(`)
	asMarkup := regexp.MustCompile(`(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|\bstyle="|\son[a-z]+="`)
	entries, err := pageSources.ReadDir("page")
	if err != nil || len(entries) != len(pageScripts)+2 {
		t.Fatalf("%d files for %d scripts, style and document: %v", len(entries), len(pageScripts), err)
	}
	for _, entry := range entries {
		text, err := pageSources.ReadFile("page/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range elsewhere.FindAllString(string(text), -1) {
			if found != "http://www.w3.org/2000/svg" { // a name, nothing is fetched
				t.Errorf("%s loads from elsewhere: %s", entry.Name(), found)
			}
		}
		for _, found := range asMarkup.FindAllString(string(text), -1) {
			t.Errorf("%s makes markup or code of text: %s", entry.Name(), found)
		}
	}
}
