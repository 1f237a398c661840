package harness

import (
	"bytes"
	"context"
	"os/exec"
	"testing"
	"time"
)

// toolTimeout is for a Java on a slow machine, its download included.
const toolTimeout = 5 * time.Minute

// KafkaTool runs the main method of one of Kafka's own classes, such as
// kafka.tools.DumpLogSegments, and returns what it prints. Without Java the test is
// skipped or, where a real Kafka is required, failed. A tool that fails, fails the
// test.
func KafkaTool(t testing.TB, class string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(background(t), toolTimeout)
	defer cancel()
	runtime, err := findJava(ctx)
	var jars kafkaJars
	if err == nil {
		jars, err = fetchKafka(ctx, runtime)
	}
	if err != nil {
		missing(t, "Java for Kafka's tools", err)
	}
	shared.used("Kafka's tools " + kafkaVersion + " (jars)")
	var out, problems bytes.Buffer
	dir := t.TempDir()
	line := append(jars.class(class, "-Djava.io.tmpdir="+dir), args...)
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir, command.Stdout, command.Stderr = dir, &out, &problems
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v: %s\n%s", class, err, out.Bytes(), problems.Bytes())
	}
	return out.String()
}
