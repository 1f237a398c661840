package harness

import (
	"slices"
	"strings"
	"testing"
)

func TestJarsArePinned(t *testing.T) {
	for _, version := range KafkaVersions() {
		all, err := artifacts(version)
		if err != nil {
			t.Fatal(err)
		}
		files := make(map[string]bool)
		for _, a := range all {
			if len(a.SHA256) != 64 || files[a.File()] {
				t.Errorf("%s has no SHA-256 or is listed twice", a)
			}
			files[a.File()] = true
		}
		if !files["kafka_2.13-"+version+".jar"] || !files["kafka-tools-"+version+".jar"] {
			t.Errorf("no broker or no tools among the jars of %s", version)
		}
	}
}

func TestKafkaVersions(t *testing.T) {
	versions := KafkaVersions()
	if !slices.Contains(versions, defaultKafkaVersion) || !strings.HasPrefix(versions[0], "3.9.") {
		t.Errorf("pinned: %q", versions)
	}
	for wanted, want := range map[string]string{"3.9": versions[0], versions[0]: versions[0], "4": defaultKafkaVersion, "3.": "3.", "2.8.0": "2.8.0"} {
		if got := pinnedVersion(wanted); got != want {
			t.Errorf("%q is %q, not %q", wanted, got, want)
		}
	}
	if _, err := artifacts("2.8.0"); err == nil || !strings.Contains(err.Error(), versions[0]) {
		t.Errorf("a version without jars: %v", err)
	}
}
