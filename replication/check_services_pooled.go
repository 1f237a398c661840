package replication

import (
	"fmt"
	"slices"
	"strings"
)

func supabase(hosts []string) service {
	s := service{
		name: "Supabase", owner: "postgres",
		logical: "Supabase runs with wal_level = logical; if it does not, ask its support",
		set: func(s setting) string {
			return fmt.Sprintf("supabase --experimental --project-ref REF postgres-config update --config %s=%s", s.name, s.bare())
		},
		replicate: func(role string) string { return fmt.Sprintf("as postgres: ALTER ROLE %s WITH REPLICATION;", role) },
		notes: []Finding{note("the direct host db.REF.supabase.co has an IPv6 address only, unless the project has the IPv4 add-on",
			"https://supabase.com/docs/guides/database/postgres/setup-replication-external")},
	}
	if slices.ContainsFunc(hosts, supabasePooler) {
		s.notes = append(s.notes, Finding{
			Name: "pooler", Level: Fail, Detail: "the host is Supabase's pooler (Supavisor)",
			Cause:  "it hands out sessions of a pool and passes no replication connection, so nothing can be streamed",
			Remedy: "connect to the direct host: db.REF.supabase.co:5432 (IPv6; the IPv4 add-on gives it an IPv4 address)",
			Doc:    "https://supabase.com/docs/guides/database/connecting-to-postgres",
		})
	}
	return s
}

// supabasePooler tells Supavisor's addresses: the shared pooler's name, or the
// dedicated one's port on the direct host.
func supabasePooler(hostPort string) bool {
	host, port, _ := strings.Cut(hostPort, ":")
	return strings.HasSuffix(host, ".pooler.supabase.com") || strings.HasSuffix(host, ".supabase.co") && port == "6543"
}

func neon(hosts []string) service {
	s := service{
		name: "Neon", owner: "a member of neon_superuser",
		logical: "in the Neon console: Settings, Logical Replication, Enable (it cannot be taken back, and restarts the computes)",
		set: func(s setting) string {
			return fmt.Sprintf("Neon sets %s itself: ask its support for %s", s.name, s.bare())
		},
		replicate: func(role string) string {
			return fmt.Sprintf("make %s in the Neon console, by its CLI or API: such roles may replicate, those made by SQL may not", role)
		},
		notes: []Finding{{
			Name: "service", Level: Warn, Detail: "Neon removes a slot that nobody has read for about 40 hours",
			Cause:  "a relay that is stopped over a weekend comes back to a gap. While the relay is connected the compute does not scale to zero, which costs compute hours; restoring a branch deletes its slots",
			Remedy: "keep the relay running; alert when it is away for more than a day",
			Doc:    "https://neon.com/docs/guides/logical-replication-neon",
		}},
	}
	for _, h := range hosts {
		if host, _, _ := strings.Cut(h, ":"); strings.Contains(host, "-pooler.") {
			s.notes = append(s.notes, Finding{
				Name: "pooler", Level: Fail, Detail: fmt.Sprintf("the host %s is Neon's pooler (PgBouncer)", host),
				Cause:  "it hands out sessions of a pool and passes no replication connection, so nothing can be streamed",
				Remedy: "connect to " + strings.Replace(host, "-pooler.", ".", 1) + ", the same name without -pooler",
				Doc:    "https://neon.com/docs/guides/logical-replication-neon",
			})
			break
		}
	}
	return s
}
