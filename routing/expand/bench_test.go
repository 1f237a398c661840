package expand

import (
	"testing"

	"github.com/walrelay/walrelay/routing/connect"
)

const order = `{"id": "9b2f6a8e-6f0c-4a53-9a43-0a6a5c1f9b11", "total": 1234.56, "paid": true, "currency": "EUR", "customer": {"id": 815,
 "name": "M\u00fcller \"&\" S\u00f6hne", "address": {"street": "Hauptstraße 5", "city": "Köln", "zip": "50667"}, "phone": null},
 "lines": [{"sku": "A-1", "quantity": 2, "price": 19.99, "tags": ["new", "blue"]}, {"sku": "B-2", "quantity": 1, "price": 5.0, "tags": []},
 {"sku": "C-3", "quantity": 12345678901, "price": 100.5, "note": "handle with care"}], "created": "2024-02-29T10:34:56.789Z", "version": 3}`

var likeOrder = []byte(order[:len(order)-len(`12345678901, "price": 100.5, "note": "handle with care"}], "created": "2024-02-29T10:34:56.789Z", "version": 3}`)] +
	`7, "price": 100.5, "note": "handle with care"}], "created": "2024-02-29T10:34:56.789Z", "version": 3}`)

func TestKnownShapeAllocatesNothing(t *testing.T) {
	x := New(Options{})
	var a connect.Arena
	allocs := testing.AllocsPerRun(100, func() {
		a.Reset()
		if _, _, err := x.Expand(likeOrder, &a); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Fatalf("%v allocations", allocs)
	}
}

func BenchmarkExpand(b *testing.B) {
	x := New(Options{})
	var a connect.Arena
	b.SetBytes(int64(len(likeOrder)))
	b.ReportAllocs()
	for b.Loop() {
		a.Reset()
		if _, _, err := x.Expand(likeOrder, &a); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExpandNewShape is what a document costs whose shape is not known.
func BenchmarkExpandNewShape(b *testing.B) {
	x := New(Options{})
	var a connect.Arena
	b.SetBytes(int64(len(likeOrder)))
	b.ReportAllocs()
	for b.Loop() {
		a.Reset()
		x.shapes.init()
		if _, _, err := x.Expand(likeOrder, &a); err != nil {
			b.Fatal(err)
		}
	}
}
