package demo

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// step is a step in the life of an order, the name of its event.
//
//	OrderPlaced ─▶ OrderPaid ─▶ OrderShipped
//	     └────────────┴───────▶ OrderCancelled
type step string

const (
	stepPlace  step = "OrderPlaced"
	stepPay    step = "OrderPaid"
	stepShip   step = "OrderShipped"
	stepCancel step = "OrderCancelled"

	giftWrapped  = "OrderGiftWrapped" // in the same transaction as OrderPlaced
	pointsEarned = "PointsEarned"     // of the customer, in the same transaction as OrderPaid
)

// status is what an order is after the step, and in its event.
func (s step) status() string {
	return map[step]string{stepPlace: "placed", stepPay: "paid", stepShip: "shipped", stepCancel: "cancelled"}[s]
}

// regret is a reason to roll the step back.
func (s step) regret() string {
	return map[step]string{
		stepPlace:  "the customer closed the tab",
		stepPay:    "the card was declined",
		stepShip:   "the parcel was too heavy",
		stepCancel: "it is already on the lorry",
	}[s]
}

// errMovedOn: the order is no longer in the state that the step starts from. It
// happens after a COMMIT whose answer got lost; the order is then left alone.
var errMovedOn = errors.New("order has moved on")

// visit is one thing to do in the shop, in one transaction.
type visit struct {
	due      time.Time
	step     step
	order    int64  // 0 for stepPlace
	from     string // status that the order must have
	customer int64
	cents    int64
}

// payload is what the events say. Version counts the events of one aggregate
// from 1 in the order of their commits: the row of the aggregate is locked from
// the count to the COMMIT.
type payload struct {
	Event    string `json:"event"`
	Version  int64  `json:"version"`
	Order    int64  `json:"order,omitempty"`
	Customer int64  `json:"customer"`
	Status   string `json:"status,omitempty"`
	Cents    int64  `json:"cents,omitempty"`
	Points   int64  `json:"points,omitempty"`
}

// purchase is a transaction at work and what it has written so far.
type purchase struct {
	tx     pgx.Tx
	order  int64
	placed int64    // orders placed: 0 or 1
	events []string // ids of outbox rows that will be committed
	last   string   // event type of the newest of them
	undone int      // outbox rows taken back by ROLLBACK TO SAVEPOINT
}

// do writes what the visit changes, and the events that say so. It returns the
// next visit in the life of the order, nil at its end.
func (v visit) do(ctx context.Context, p *purchase) (*visit, error) {
	if v.step == stepPlace {
		return v.place(ctx, p)
	}
	p.order = v.order
	var version int64
	err := p.tx.QueryRow(ctx, `UPDATE orders SET status = $3, version = version + 1 WHERE id = $1 AND status = $2 RETURNING version`,
		v.order, v.from, v.step.status()).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errMovedOn
	}
	if err != nil {
		return nil, err
	}
	if err := p.publishOrder(ctx, string(v.step), version, v); err != nil {
		return nil, err
	}
	if v.step != stepPay {
		return nil, nil
	}
	return v.then(p.order), p.earn(ctx, v)
}

// place makes an order of several rows. Now and then it is to be gift wrapped,
// behind a savepoint, and now and then that is not to be had.
func (v visit) place(ctx context.Context, p *purchase) (*visit, error) {
	v.customer, v.cents = 1+rand.Int64N(customers), 500+rand.Int64N(20000)
	err := p.tx.QueryRow(ctx, `INSERT INTO orders (customer_id, status, cents, version) VALUES ($1, $2, $3, 1) RETURNING id`,
		v.customer, v.step.status(), v.cents).Scan(&p.order)
	if err != nil {
		return nil, err
	}
	p.placed = 1
	for range 1 + rand.IntN(3) {
		_, err := p.tx.Exec(ctx, `INSERT INTO order_items (order_id, article, quantity) VALUES ($1, $2, $3)`,
			p.order, articles[rand.IntN(len(articles))], 1+rand.Int64N(4))
		if err != nil {
			return nil, err
		}
	}
	if err := p.publishOrder(ctx, string(v.step), 1, v); err != nil {
		return nil, err
	}
	if rand.IntN(8) == 0 {
		if err := p.wrap(ctx, v); err != nil {
			return nil, err
		}
	}
	return v.then(p.order), nil
}

var articles = []string{"tea", "teapot", "biscuits", "honey", "lemon", "cup", "kettle"}

// wrap adds the event of a gift wrap behind a savepoint, and in half of all
// cases takes it back.
func (p *purchase) wrap(ctx context.Context, v visit) error {
	savepoint, err := p.tx.Begin(ctx)
	if err != nil {
		return err
	}
	inner := &purchase{tx: savepoint, order: p.order}
	if _, err := savepoint.Exec(ctx, `UPDATE orders SET version = version + 1 WHERE id = $1`, p.order); err != nil {
		return err
	}
	if err := inner.publishOrder(ctx, giftWrapped, 2, v); err != nil {
		return err
	}
	if rand.IntN(2) == 0 {
		p.undone += len(inner.events)
		return savepoint.Rollback(ctx)
	}
	p.events, p.last = append(p.events, inner.events...), inner.last
	return savepoint.Commit(ctx)
}

// earn gives the customer points for a paid order: a second aggregate in the
// same transaction.
func (p *purchase) earn(ctx context.Context, v visit) error {
	points := v.cents / 100
	var version int64
	err := p.tx.QueryRow(ctx, `UPDATE customers SET points = points + $2, version = version + 1 WHERE id = $1 RETURNING version`,
		v.customer, points).Scan(&version)
	if err != nil {
		return err
	}
	return p.publish(ctx, "customer", v.customer, payload{Event: pointsEarned, Version: version, Customer: v.customer, Points: points})
}

func (p *purchase) publishOrder(ctx context.Context, event string, version int64, v visit) error {
	return p.publish(ctx, "order", p.order,
		payload{Event: event, Version: version, Order: p.order, Customer: v.customer, Status: v.step.status(), Cents: v.cents})
}

// publish writes one row to the outbox. That is all a service has to do.
func (p *purchase) publish(ctx context.Context, aggregate string, id int64, body payload) error {
	value, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	var event string
	err = p.tx.QueryRow(ctx, `INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ($1, $2, $3, $4) RETURNING id::text`,
		aggregate, strconv.FormatInt(id, 10), body.Event, value).Scan(&event)
	if err != nil {
		return err
	}
	p.events, p.last = append(p.events, event), body.Event
	return nil
}

// then is what comes next in the life of an order that v has been done to: most
// are paid and shipped, some cancelled on the way.
func (v visit) then(order int64) *visit {
	next := visit{due: time.Now().Add(pause()), step: stepPay, order: order, from: v.step.status(), customer: v.customer, cents: v.cents}
	if v.step == stepPay {
		next.step = stepShip
	}
	if rand.IntN(8) == 0 {
		next.step = stepCancel
	}
	return &next
}

// agenda is what the shop has to do and when: new orders at the given rate, and
// the next steps of those there are. next belongs to one goroutine, add to all.
type agenda struct {
	interval time.Duration // between two new orders
	nextNew  time.Time     // used by next alone

	mu    *sync.Mutex
	steps *visits       // guarded by mu
	added chan struct{} // holds one token after an add
}

func newAgenda(rate int) agenda {
	return agenda{interval: time.Second / time.Duration(rate), nextNew: time.Now(), mu: new(sync.Mutex), steps: new(visits), added: make(chan struct{}, 1)}
}

// add plans a visit.
func (a *agenda) add(v visit) {
	a.mu.Lock()
	heap.Push(a.steps, v)
	a.mu.Unlock()
	select {
	case a.added <- struct{}{}:
	default:
	}
}

// next waits for the visit that is due first and takes it; false when ctx has
// ended. Who is late catches up with a second of new orders at most.
func (a *agenda) next(ctx context.Context) (visit, bool) {
	for ctx.Err() == nil {
		now := time.Now()
		v := visit{due: a.nextNew, step: stepPlace}
		a.mu.Lock()
		planned := a.steps.Len() > 0 && (*a.steps)[0].due.Before(a.nextNew)
		if planned {
			v.due = (*a.steps)[0].due
		}
		if !v.due.After(now) {
			if planned {
				v = heap.Pop(a.steps).(visit)
			}
			a.mu.Unlock()
			if !planned {
				a.nextNew = later(a.nextNew.Add(a.interval), now.Add(-time.Second))
			}
			return v, true
		}
		a.mu.Unlock()
		a.wait(ctx, v.due.Sub(now))
	}
	return visit{}, false
}

// wait returns after d, or when something was added, or when ctx ends.
func (a *agenda) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.added:
	case <-ctx.Done():
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// visits is a heap of visits, the earliest on top.
type visits []visit

func (h visits) Len() int           { return len(h) }
func (h visits) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h visits) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *visits) Push(v any)        { *h = append(*h, v.(visit)) }
func (h *visits) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
