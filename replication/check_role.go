package replication

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// role looks at the rights to replicate, to keep the marker and to create.
func (k *check) role(ctx context.Context) error {
	var super, replicate, rds, create bool
	var group *string
	err := k.conn.QueryRow(ctx, `SELECT rolsuper, rolreplication,
		EXISTS (SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(current_user, g.oid, 'MEMBER')),
		(SELECT min(g.rolname) FROM pg_roles g WHERE g.rolreplication AND NOT g.rolsuper AND g.rolname <> current_user AND pg_has_role(current_user, g.oid, 'MEMBER')),
		has_database_privilege(current_database(), 'CREATE') FROM pg_roles WHERE rolname = current_user`).Scan(&super, &replicate, &rds, &group, &create)
	if err != nil {
		return fmt.Errorf("look at role: %w", err)
	}
	role := k.server.role
	f := Finding{Name: "role", Detail: fmt.Sprintf("%q may replicate", role)}
	switch {
	case super:
		f.Detail += "; it is a superuser, which is more than the relay needs"
	case !replicate && !rds:
		f.Level, f.Detail = Fail, fmt.Sprintf("%q may not replicate", role)
		f.Cause = "PostgreSQL refuses the replication connection and the making of the slot"
		f.Remedy = k.service.replicate(quoteIdent(role))
		if group != nil {
			f.Detail += fmt.Sprintf(", though its group %q may: the attribute REPLICATION is not inherited", *group)
		}
	case !replicate:
		f.Detail += " as a member of rds_replication"
	}
	k.put(f)
	k.marker()
	if k.config.AutoCreate && k.config.Snapshot.mode() != SnapshotOnly && !k.facts.publication.exists && !create {
		k.put(Finding{
			Name: "create", Level: Fail, Detail: fmt.Sprintf("publication %q does not exist and %q may not create it", k.config.Publication, role),
			Cause: "the first start stops before it has made anything", Remedy: PrivilegeSQL(k.config, role),
		})
	}
	return nil
}

// marker looks at the right to keep the witness of the slot.
func (k *check) marker() {
	const name = "marker"
	f, role := k.facts, k.server.role
	switch {
	case f.access == markerWritable:
		k.ok(name, "walrelay.marker can be written")
	case f.access == markerMakeable:
		k.ok(name, "walrelay.marker is made at the first start")
	case f.slot == nil:
		k.put(Finding{
			Name: name, Level: Fail, Detail: fmt.Sprintf("%q can't write walrelay.marker", role),
			Cause: "no slot is made without it: a slot that has vanished could not be told from a first start", Remedy: PrivilegeSQL(k.config, role),
		})
	case k.config.ExactlyOnce:
		k.put(Finding{
			Name: name, Level: Fail, Detail: fmt.Sprintf("%q can't write walrelay.marker", role),
			Cause: "exactly-once does not begin without it: a watermark that is lost could not be told from a first start", Remedy: PrivilegeSQL(k.config, role),
		})
	default:
		k.put(Finding{
			Name: name, Level: Warn, Detail: fmt.Sprintf("%q can't write walrelay.marker", role),
			Cause: "a slot that vanishes is noticed only while the relay runs", Remedy: PrivilegeSQL(k.config, role),
		})
	}
}

// password looks at what will keep the role from logging in one day.
func (k *check) password(ctx context.Context) error {
	var encryption string
	var until *time.Time
	err := k.conn.QueryRow(ctx, `SELECT current_setting('password_encryption'), CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil END
		FROM pg_roles WHERE rolname = session_user`).Scan(&encryption, &until)
	if err != nil {
		return fmt.Errorf("look at the role's password: %w", err)
	}
	role := quoteIdent(k.server.role)
	if until != nil {
		k.put(validUntilFinding(role, time.Until(*until)))
	}
	if encryption == "md5" {
		k.put(Finding{
			Name: "password_encryption", Level: Warn, Detail: "md5: new passwords are stored and checked by MD5",
			Cause:  "whoever gets the stored hash can log in with it; PostgreSQL 18 warns, a later version takes MD5 passwords no more",
			Remedy: k.service.set(setting{name: "password_encryption", value: "'scram-sha-256'"}) + fmt.Sprintf("\n\\password %s -- in psql: set the password anew, and scram-sha-256 in pg_hba.conf", role),
		})
	} else {
		k.ok("password_encryption", "%s", encryption)
	}
	return nil
}

func validUntilFinding(role string, left time.Duration) Finding {
	f := Finding{Name: "password", Detail: "is valid for another " + spanText(left)}
	if left < certificateWarning {
		f.Level = Warn
		f.Cause = "after that PostgreSQL refuses every new connection of the relay"
		f.Remedy = fmt.Sprintf("ALTER ROLE %s VALID UNTIL 'infinity'; -- or give it a new password and a later date", role)
	}
	return f
}

// limits looks whether a slot and a walsender are free for us.
func (k *check) limits(ctx context.Context) error {
	var slots, maxSlots, senders, maxSenders int
	err := k.conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_replication_slots), current_setting('max_replication_slots')::int,
		(SELECT count(*) FROM pg_stat_replication), current_setting('max_wal_senders')::int`).Scan(&slots, &maxSlots, &senders, &maxSenders)
	if err != nil {
		return fmt.Errorf("look at limits: %w", err)
	}
	k.put(k.limit("max_replication_slots", slots, maxSlots, k.facts.slot == nil,
		"SELECT slot_name, active, restart_lsn FROM pg_replication_slots; -- drop one that nobody needs, or:"))
	k.put(k.limit("max_wal_senders", senders, maxSenders, k.facts.slot == nil || !k.facts.slot.Active,
		"SELECT pid, application_name, state FROM pg_stat_replication; -- end one that nobody needs, or:"))
	return nil
}

// limit grades one limit of the server. list shows who holds what is in use.
func (k *check) limit(name string, used, most int, need bool, list string) Finding {
	f := Finding{Name: name, Detail: fmt.Sprintf("%d of %d in use", used, most)}
	if used < most {
		return f
	}
	f.Level, f.Cause = Warn, "none is free for another relay, for `walrelay shadow` or a new standby"
	if need {
		f.Level, f.Cause = Fail, "none is free for the relay, whose start would fail"
	}
	f.Remedy = list + "\n" + k.service.set(setting{name: name, value: strconv.Itoa(most + 10), restart: true})
	return f
}
