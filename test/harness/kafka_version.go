package harness

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/walrelay/walrelay/demo/maven"
)

// KafkaVersionVariable names the version of Kafka to start: all of it, or the
// beginning of one whose jars are pinned ("3.9").
const KafkaVersionVariable = "WALRELAY_TEST_KAFKA_VERSION"

const defaultKafkaVersion = "4.1.2"

// jarLists are the jars of every version that can run without Docker.
//
//go:embed jars-*.txt
var jarLists embed.FS

// The version and its image for this test program.
var (
	kafkaVersion = pinnedVersion(cmp.Or(os.Getenv(KafkaVersionVariable), defaultKafkaVersion))
	kafkaImage   = "apache/kafka:" + kafkaVersion
)

// KafkaVersions are the versions whose jars are pinned, the oldest first.
func KafkaVersions() []string {
	lists, _ := fs.Glob(jarLists, "jars-*.txt") // the pattern is well formed
	for i, name := range lists {
		lists[i] = strings.TrimSuffix(strings.TrimPrefix(name, "jars-"), ".txt")
	}
	slices.Sort(lists) // one digit each
	return lists
}

// pinnedVersion completes a version's beginning. What is not pinned stays as it is:
// Docker may have it.
func pinnedVersion(wanted string) string {
	for _, version := range KafkaVersions() {
		if version == wanted || strings.HasPrefix(version, wanted+".") {
			return version
		}
	}
	return wanted
}

// artifacts are the jars of a version.
func artifacts(version string) ([]maven.Artifact, error) {
	name := "jars-" + version + ".txt"
	list, err := jarLists.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("no jars are pinned for Kafka %s: set %s to one of %s", version, KafkaVersionVariable, strings.Join(KafkaVersions(), ", "))
	}
	var all []maven.Artifact
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 4 {
			return nil, fmt.Errorf("%s: %q is not: SHA-256, group, name, version", name, line)
		}
		all = append(all, maven.Artifact{SHA256: fields[0], Group: fields[1], Name: fields[2], Version: fields[3]})
	}
	return all, nil
}
