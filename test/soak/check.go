package main

import (
	"encoding/json"
	"fmt"
	"sync"
)

// event is the payload: the number that its aggregate has counted. Rolled marks one
// whose transaction was rolled back.
type event struct {
	Aggregate int  `json:"a"`
	Number    int  `json:"n"`
	Rolled    bool `json:"r,omitempty"`
}

// mostMissing bounds the memory for numbers that were jumped over; a run that needs
// more has failed long since.
const mostMissing = 100_000

// checker judges events as they arrive. It knows of each aggregate the last number;
// numbers that were jumped over are kept until they come.
type checker struct {
	mu         sync.Mutex
	last       []int
	partitions []int32
	missing    map[event]bool

	Records    int `json:"records"`
	Duplicates int `json:"duplicates"`
	Disorder   int `json:"disorder"` // after a later one of the aggregate, or in another partition
	Invented   int `json:"invented"` // rolled back, or nothing that was written
	Lost       int `json:"lost"`     // from finish on
}

func newChecker(aggregates int) *checker {
	c := &checker{last: make([]int, aggregates), partitions: make([]int32, aggregates), missing: map[event]bool{}}
	for i := range c.partitions {
		c.partitions[i] = -1
	}
	return c
}

// take judges a record.
func (c *checker) take(payload []byte, partition int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Records++
	var e event
	if err := json.Unmarshal(payload, &e); err != nil || e.Rolled || e.Aggregate < 0 || e.Aggregate >= len(c.last) || e.Number < 1 {
		c.Invented++
		return
	}
	if at := &c.partitions[e.Aggregate]; *at != partition {
		if *at >= 0 {
			c.Disorder++
		}
		*at = partition
	}
	last := c.last[e.Aggregate]
	switch {
	case e.Number > last:
		for n := last + 1; n < e.Number && len(c.missing) < mostMissing; n++ {
			c.missing[event{Aggregate: e.Aggregate, Number: n}] = true
		}
		c.last[e.Aggregate] = e.Number
	case c.missing[e]:
		delete(c.missing, e)
		c.Disorder++
	default:
		c.Duplicates++
	}
}

// complete says whether all that was committed has come; counts are by aggregate.
func (c *checker) complete(committed []int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, n := range committed {
		if c.last[i] < n {
			return false
		}
	}
	return true
}

// finish counts what is lost.
func (c *checker) finish(committed []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Lost = len(c.missing)
	for i, n := range committed {
		c.Lost += max(0, n-c.last[i])
		c.Invented += max(0, c.last[i]-n)
	}
}

func (c *checker) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d records, %d duplicates, %d out of order, %d missing", c.Records, c.Duplicates, c.Disorder, len(c.missing))
}
