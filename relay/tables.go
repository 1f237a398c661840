package relay

import (
	"errors"
	"fmt"

	"github.com/walrelay/walrelay/decoding"
	"github.com/walrelay/walrelay/routing"
)

// Routers makes the router of each table and what decoding has to know for it, in
// the order of tables, which is decoding.Table's Index. Whoever wants to know what
// the relay would write begins here, too.
func Routers(tables []Table) ([]*routing.Router, []decoding.Table, error) {
	if len(tables) == 0 {
		return nil, nil, errors.New("no outbox table: name one under outbox.table")
	}
	routers := make([]*routing.Router, 0, len(tables))
	decoded := make([]decoding.Table, 0, len(tables))
	schemas := routing.NewSchemas()
	for i, t := range tables {
		t.Rules.Schemas = schemas
		router, err := routing.New(t.Rules)
		if err != nil {
			return nil, nil, fmt.Errorf("route of outbox table %s: %w", &t.Decoding, err)
		}
		t.Decoding.Index, t.Decoding.Extra = i, router.Extra()
		t.Decoding.Updates = t.Rules.KeyUpdates || t.Updates != "" && t.Updates != UpdateIgnore
		routers, decoded = append(routers, router), append(decoded, t.Decoding)
	}
	return routers, decoded, nil
}
