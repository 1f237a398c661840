package harness

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/walrelay/walrelay/demo/maven"
)

// parallelFetches keeps a small machine and a polite repository happy.
const parallelFetches = 6

// kafkaJars are the fetched broker and the Java that runs it.
type kafkaJars struct {
	java  string
	paths []string
	// archive holds the broker's classes as the Java has loaded them once; with
	// it a start takes a third of the time. "" when it could not be made.
	archive string
}

// command runs a broker whose server.properties lies in dir.
func (k kafkaJars) command(dir string, options ...string) []string {
	options = append([]string{
		"-Djava.io.tmpdir=" + dir, // native libraries are unpacked there
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
	}, options...)
	return append(k.class("kafka.Kafka", options...), filepath.Join(dir, "server.properties"))
}

// class runs a class of the jars, with options for Java.
func (k kafkaJars) class(name string, options ...string) []string {
	command := []string{k.java, "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}
	if k.archive != "" {
		command = append(command, "-XX:SharedArchiveFile="+k.archive, "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
	}
	command = append(command, options...)
	return append(command, "-cp", strings.Join(k.paths, string(os.PathListSeparator)), name)
}

// fetchKafka brings the jars into the cache, once for all test programs.
func fetchKafka(ctx context.Context, runtime java) (kafkaJars, error) {
	all, err := artifacts(kafkaVersion)
	if err != nil {
		return kafkaJars{}, err
	}
	cache, err := maven.Cache("kafka-" + kafkaVersion)
	if err != nil {
		return kafkaJars{}, err
	}
	unlock, err := maven.Lock(ctx, cache)
	if err != nil {
		return kafkaJars{}, err
	}
	defer unlock()
	jars := kafkaJars{java: runtime.path}
	for _, artifact := range all {
		jars.paths = append(jars.paths, filepath.Join(cache, artifact.File()))
	}
	if err := fetchAll(ctx, all, jars.paths); err != nil {
		return kafkaJars{}, err
	}
	name := sha256.Sum256([]byte(runtime.path + runtime.version + strings.Join(jars.paths, ":")))
	archive := filepath.Join(cache, fmt.Sprintf("classes-%x.jsa", name[:6]))
	if _, err := os.Stat(archive); err == nil {
		jars.archive = archive
	} else if err := makeArchive(ctx, jars, archive); err == nil {
		jars.archive = archive
	} else {
		shared.warn("Kafka starts slowly: no archive of its classes: " + err.Error())
	}
	return jars, nil
}

func fetchAll(ctx context.Context, all []maven.Artifact, paths []string) error {
	var wg sync.WaitGroup
	errs := make([]error, len(all))
	slots := make(chan struct{}, parallelFetches)
	for i, artifact := range all {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = maven.Fetch(ctx, artifact, paths[i])
		})
	}
	wg.Wait()
	http.DefaultClient.CloseIdleConnections() // tests look for goroutines that are left
	return errors.Join(errs...)
}

// makeArchive lets a broker run once and has Java write down, as it ends, the
// classes that it has loaded.
func makeArchive(ctx context.Context, jars kafkaJars, archive string) error {
	plan, err := planBroker(KafkaOptions{})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "walrelay-kafka-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := (&javaNode{dir: dir}).format(plan); err != nil {
		return err
	}
	temporary := archive + ".new"
	defer os.Remove(temporary)
	command := jars.command(dir, "-XX:ArchiveClassesAtExit="+temporary)
	ctx, cancel := context.WithTimeout(ctx, kafkaStartTimeout)
	defer cancel()
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = javaStopTimeout
	if err := process.Start(); err != nil {
		return err
	}
	ready := (&Broker{direct: []string{plan.direct}}).awaitReady(ctx)
	cancelled := process.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(javaStopTimeout, func() { process.Process.Kill() })
	defer timer.Stop()
	process.Wait() // Java exits with 143 after SIGTERM; the file tells
	if err := errors.Join(ready, cancelled); err != nil {
		return err
	}
	return os.Rename(temporary, archive)
}
