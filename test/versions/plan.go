package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/walrelay/walrelay/test/harness"
)

// postgresVersions are the supported major versions, the oldest first.
var postgresVersions = []string{"14", "15", "16", "17", "18"}

// The suites.
const (
	suiteAll  = "all"
	suiteCore = "core"
)

// core names the tests of the core suite, in package test: what the relay asks of
// the two servers, each once.
var core = []string{
	"TestRollback", "TestConcurrentWriters", // transactions
	"TestShapes", "TestPartitionedOutbox", "TestPayloads", "TestKeysAndHeaders", "TestJavaConsumer", // records
	"TestKillInBacklog", "TestKillUnderLoad", // kills
	"TestBrokerAway", "TestMissingTopic", "TestCreateTopics", // Kafka
	"TestPostgresRestart", "TestIdleOutbox", "TestRenamedColumn", // PostgreSQL
	"TestSnapshotKilled", "TestSnapshotJoinsStream", "TestSnapshotTables", // rows from before the slot
	"TestStandby", "TestFrozenRelay", // two instances
	"TestStop", "TestHold",
	"TestSlotVanished", "TestSlotLost", "TestLeastPrivilege", // the slot, rights
	"TestCheck", "TestInit",
	"TestExactlyOnce",
}

// combination is a pair of servers.
type combination struct {
	Postgres string `json:"postgres"` // major version
	Kafka    string `json:"kafka"`
}

func (c combination) String() string { return c.Postgres + "+" + c.Kafka }

// job is a combination with its suite.
type job struct {
	combination
	Suite string
}

// wanted are the jobs of the command line, the two ends first: what they find is
// most likely to be found elsewhere, too.
func wanted(s settings) []job {
	kafka := harness.KafkaVersions()
	first, last := combination{postgresVersions[0], kafka[0]}, combination{postgresVersions[len(postgresVersions)-1], kafka[len(kafka)-1]}
	all := []combination{first, last}
	for _, p := range postgresVersions {
		for _, k := range kafka {
			if c := (combination{p, k}); c != first && c != last {
				all = append(all, c)
			}
		}
	}
	var jobs []job
	for i, c := range all {
		if !s.only.MatchString(c.String()) {
			continue
		}
		suite := suiteCore
		if i < 2 && !s.core {
			suite = suiteAll
		}
		jobs = append(jobs, job{c, suite})
	}
	return jobs
}

// arguments are those of go test.
func (j job) arguments(race bool) []string {
	args := []string{"test", "-json", "-count=1", "-p=1"}
	if race {
		args = append(args, "-race")
	}
	if j.Suite == suiteAll {
		return append(args, "-timeout=90m", "./...")
	}
	return append(args, "-timeout=60m", fmt.Sprintf("-run=^(%s)$", strings.Join(core, "|")), "./test")
}

// order is that of the table. Versions have two digits, or differ in the first.
func order(a, b row) int {
	return cmp.Or(strings.Compare(a.Postgres, b.Postgres), strings.Compare(a.Kafka, b.Kafka))
}
