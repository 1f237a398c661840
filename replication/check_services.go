package replication

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// service is where a PostgreSQL runs, with that service's own words for what a
// person there has to do.
type service struct {
	name string // "Amazon RDS"; "" for a PostgreSQL of one's own
	// logical says how wal_level becomes logical.
	logical string
	// set says how a setting gets a value.
	set func(setting) string
	// replicate says how a role, quoted, gets the right to replicate.
	replicate func(role string) string
	// owner is who the SQL of a remedy is for.
	owner string
	// notes are what is known of logical slots there.
	notes []Finding
}

// setting is one to be changed.
type setting struct {
	name    string
	value   string // as SQL takes it
	plain   string // without a unit, as parameter groups take it; "" for value
	restart bool   // takes a restart of the server
}

func (s setting) bare() string {
	if s.plain != "" {
		return s.plain
	}
	return strings.Trim(s.value, "'")
}

// signs are what a service is recognised by, gathered in one query.
type signs struct {
	prefixes []string // of settings: rds, cloudsql …
	roles    []string
	aurora   bool     // the function aurora_version exists
	hosts    []string // of the connection string, host:port
}

// signSettings are asked for one by one too, because a setting that no loaded
// library has declared is not listed.
const signsSQL = `SELECT
	ARRAY(SELECT DISTINCT split_part(name, '.', 1) FROM pg_settings WHERE name ~ '^(rds|apg_.*|cloudsql|alloydb|azure|neon)\.'
		UNION SELECT split_part(n, '.', 1) FROM unnest(ARRAY['rds.logical_replication', 'rds.extensions', 'cloudsql.logical_decoding', 'cloudsql.iam_authentication',
			'alloydb.logical_decoding', 'azure.extensions', 'neon.tenant_id', 'neon.timeline_id']) AS n WHERE current_setting(n, true) IS NOT NULL)::text[],
	ARRAY(SELECT rolname FROM pg_roles WHERE rolname IN ('rds_superuser', 'rds_replication', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin',
		'supabase_admin', 'neon_superuser', 'avnadmin', 'tsdbadmin'))::text[],
	EXISTS (SELECT FROM pg_proc WHERE proname = 'aurora_version')`

// recognise finds out where the server runs.
func (c *Control) recognise(ctx context.Context) (service, error) {
	s := signs{hosts: c.config.hostNames()}
	if err := c.conn.QueryRow(ctx, signsSQL).Scan(&s.prefixes, &s.roles, &s.aurora); err != nil {
		return ownServer, fmt.Errorf("look for signs of a managed service: %w", err)
	}
	return s.service(), nil
}

// host says whether a host name of the connection ends like this.
func (s signs) host(suffix string) bool {
	return slices.ContainsFunc(s.hosts, func(h string) bool {
		name, _, _ := strings.Cut(h, ":")
		return name == suffix || strings.HasSuffix(name, "."+suffix)
	})
}

// service decides by the signs. Roles and settings go before host names: those may
// be a tunnel's or a proxy's, and a role may have come with a dump; so where two
// services are named, the one of the settings is meant.
func (s signs) service() service {
	prefix := func(p string) bool { return slices.Contains(s.prefixes, p) }
	role := func(r string) bool { return slices.Contains(s.roles, r) }
	rds := prefix("rds")
	for _, is := range []struct {
		yes bool
		of  func() service
	}{
		{s.aurora, aurora},
		{rds, amazonRDS}, {prefix("cloudsql"), cloudSQL}, {prefix("alloydb"), alloyDB}, {prefix("azure"), azure}, {prefix("neon"), func() service { return neon(s.hosts) }},
		{s.host("supabase.co") || s.host("supabase.com"), func() service { return supabase(s.hosts) }},
		{s.host("neon.tech"), func() service { return neon(s.hosts) }},
		{s.host("aivencloud.com"), aiven}, {s.host("postgresbridge.com"), crunchy}, {s.host("tsdb.cloud.timescale.com"), timescale},
		{s.host("rds.amazonaws.com") || s.host("rds.amazonaws.com.cn"), amazonRDS}, {s.host("postgres.database.azure.com"), azure},
		{role("rds_superuser"), amazonRDS}, {role("cloudsqlsuperuser"), cloudSQL}, {role("alloydbsuperuser"), alloyDB}, {role("azure_pg_admin"), azure},
		{role("supabase_admin"), func() service { return supabase(s.hosts) }},
		{role("neon_superuser"), func() service { return neon(s.hosts) }}, {role("tsdbadmin"), timescale}, {role("avnadmin"), aiven},
	} {
		if is.yes {
			return is.of()
		}
	}
	return ownServer
}

// ownServer is a PostgreSQL that somebody runs himself.
var ownServer = service{
	logical: "ALTER SYSTEM SET wal_level = logical;\nthen restart PostgreSQL",
	owner:   "a superuser",
	set: func(s setting) string {
		sql := fmt.Sprintf("ALTER SYSTEM SET %s = %s;\n", s.name, s.value)
		if s.restart {
			return sql + "then restart PostgreSQL"
		}
		return sql + "SELECT pg_reload_conf();"
	},
	replicate: func(role string) string { return fmt.Sprintf("ALTER ROLE %s REPLICATION;", role) },
}

// note is a fact of a service that does no harm by itself.
func note(detail, doc string) Finding {
	return Finding{Name: "service", Level: OK, Detail: detail, Doc: doc}
}

func amazonRDS() service {
	return service{
		name: "Amazon RDS", owner: "a member of rds_superuser",
		logical: "set rds.logical_replication = 1 in the instance's DB parameter group (one of your own, not default.*), then reboot the instance:\n" +
			"aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters ParameterName=rds.logical_replication,ParameterValue=1,ApplyMethod=pending-reboot",
		set: func(s setting) string {
			return parameterGroup("aws rds modify-db-parameter-group --db-parameter-group-name GROUP", "aws rds reboot-db-instance --db-instance-identifier INSTANCE", s)
		},
		replicate: func(role string) string { return fmt.Sprintf("GRANT rds_replication TO %s;", role) },
		notes: []Finding{note("Amazon RDS writes WAL of its own every 5 minutes, which the relay confirms while it runs; a blue/green deployment and a major upgrade refuse or drop logical slots",
			"https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.FeatureSupport.LogicalReplication.html")},
	}
}

func aurora() service {
	s := amazonRDS()
	s.name = "Amazon Aurora"
	s.logical = "set rds.logical_replication = 1 in the DB cluster parameter group (one of your own, not default.*), then reboot the writer instance:\n" +
		"aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --parameters ParameterName=rds.logical_replication,ParameterValue=1,ApplyMethod=pending-reboot"
	s.set = func(p setting) string {
		return parameterGroup("aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP", "aws rds reboot-db-instance --db-instance-identifier WRITER", p)
	}
	s.notes = []Finding{note("Aurora keeps slots on the shared cluster volume, so they survive a failover to another instance; connect to the cluster (writer) endpoint. A blue/green deployment and a major upgrade refuse or drop logical slots",
		"https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Replication.Logical.html")}
	return s
}

func parameterGroup(modify, reboot string, s setting) string {
	method, then := "immediate", ""
	if s.restart {
		method, then = "pending-reboot", "\n"+reboot
	}
	return fmt.Sprintf("in the parameter group set %s = %s:\n%s --parameters ParameterName=%s,ParameterValue=%s,ApplyMethod=%s%s",
		s.name, s.bare(), modify, s.name, s.bare(), method, then)
}

func cloudSQL() service {
	const flags = "gcloud sql instances patch INSTANCE --database-flags="
	const all = "\n(--database-flags replaces all flags of the instance: name those it has, too)"
	return service{
		name: "Google Cloud SQL", owner: "a member of cloudsqlsuperuser",
		logical: "set the flag cloudsql.logical_decoding = on; the instance restarts:\n" + flags + "cloudsql.logical_decoding=on" + all,
		set: func(s setting) string {
			return fmt.Sprintf("set the database flag %s = %s:\n%s%s=%s%s", s.name, s.bare(), flags, s.name, s.bare(), all)
		},
		replicate: func(role string) string { return fmt.Sprintf("ALTER USER %s WITH REPLICATION;", role) },
		notes: []Finding{note("Cloud SQL keeps slots through a failover of its high availability, whose disk is replicated; not through a restore or a promoted read replica",
			"https://cloud.google.com/sql/docs/postgres/replication/configure-logical-replication")},
	}
}

func alloyDB() service {
	s := cloudSQL()
	const flags = "gcloud alloydb instances update INSTANCE --cluster=CLUSTER --region=REGION --database-flags="
	s.name, s.owner = "Google AlloyDB", "a member of alloydbsuperuser"
	s.logical = "set the flag alloydb.logical_decoding = on; the instance restarts:\n" + flags + "alloydb.logical_decoding=on"
	s.set = func(p setting) string {
		return fmt.Sprintf("set the database flag %s = %s:\n%s%s=%s", p.name, p.bare(), flags, p.name, p.bare())
	}
	s.notes = nil
	return s
}

func azure() service {
	const command = "az postgres flexible-server parameter set --resource-group GROUP --server-name SERVER"
	const restart = "\naz postgres flexible-server restart --resource-group GROUP --name SERVER"
	return service{
		name: "Azure Database for PostgreSQL", owner: "a member of azure_pg_admin",
		logical: "set the server parameter wal_level to LOGICAL, then restart the server:\n" + command + " --name wal_level --value logical" + restart,
		set: func(s setting) string {
			line := fmt.Sprintf("set the server parameter %s:\n%s --name %s --value %s", s.name, command, s.name, s.bare())
			if s.restart {
				line += restart
			}
			return line
		},
		replicate: func(role string) string { return fmt.Sprintf("ALTER ROLE %s WITH REPLICATION;", role) },
		notes: []Finding{note("after a failover of its high availability Azure has lost logical slots, unless PG Failover Slots is on (PostgreSQL 16 and older) or the slot is a failover slot with sync_replication_slots on (17 and later)",
			"https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-logical")},
	}
}

func aiven() service {
	return service{
		name: "Aiven for PostgreSQL", owner: "avnadmin",
		logical: "Aiven runs with wal_level = logical; if it does not, ask its support",
		set: func(s setting) string {
			return fmt.Sprintf("set pg.%s in the service's advanced configuration:\navn service update SERVICE -c pg.%s=%s", s.name, s.name, s.bare())
		},
		replicate: func(role string) string { return fmt.Sprintf("as avnadmin: ALTER ROLE %s REPLICATION;", role) },
		notes:     []Finding{note("Aiven copies slots to its standby every few seconds, so one made less than 30 s before a failover may be lost; a major upgrade does not bring slots along", "https://aiven.io/docs/products/postgresql/concepts/logical-replication-on-aiven")},
	}
}

func crunchy() service {
	return service{
		name: "Crunchy Bridge", owner: "postgres",
		logical: "cb config-param set --cluster CLUSTER wal_level=logical\ncb restart CLUSTER",
		set: func(s setting) string {
			line := fmt.Sprintf("cb config-param set --cluster CLUSTER %s=%s", s.name, s.bare())
			if s.restart {
				line += "\ncb restart CLUSTER"
			}
			return line
		},
		replicate: ownServer.replicate,
	}
}

func timescale() service {
	return service{
		name: "Timescale Cloud", owner: "tsdbadmin",
		logical: "set wal_level to logical in the console under Operations, Database parameters; the service restarts",
		set: func(s setting) string {
			return fmt.Sprintf("set %s to %s in the console under Operations, Database parameters", s.name, s.bare())
		},
		replicate: ownServer.replicate,
	}
}
