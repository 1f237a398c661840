package demo

import (
	"context"
	"testing"
	"time"
)

func TestAgenda_dueFirst(t *testing.T) {
	a := newAgenda(1)
	start := a.nextNew
	a.add(visit{due: start.Add(-time.Millisecond), step: stepShip, order: 2})
	a.add(visit{due: start.Add(-2 * time.Millisecond), step: stepPay, order: 1})
	for i, want := range []step{stepPay, stepShip, stepPlace} {
		v, ok := a.next(t.Context())
		if !ok || v.step != want {
			t.Fatalf("visit %d: %s, %v; want %s", i, v.step, ok, want)
		}
	}
}

func TestAgenda_wakesForWhatIsAdded(t *testing.T) {
	a := newAgenda(1)
	a.nextNew = time.Now().Add(time.Hour)
	got := make(chan visit)
	go func() {
		v, _ := a.next(t.Context())
		got <- v
	}()
	a.add(visit{due: time.Now(), step: stepCancel, order: 7})
	select {
	case v := <-got:
		if v.order != 7 {
			t.Errorf("order %d", v.order)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still waiting for the next new order")
	}
}

func TestAgenda_endsWithContext(t *testing.T) {
	a := newAgenda(1)
	a.nextNew = time.Now().Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, ok := a.next(ctx); ok {
		t.Errorf("a visit after the end: %+v", v)
	}
}

func TestAgenda_catchesUpWithASecondAtMost(t *testing.T) {
	a := newAgenda(10)
	a.nextNew = time.Now().Add(-time.Hour)
	if _, ok := a.next(t.Context()); !ok {
		t.Fatal("no visit")
	}
	if late := time.Since(a.nextNew); late > 2*time.Second {
		t.Errorf("still %s late", late)
	}
}
