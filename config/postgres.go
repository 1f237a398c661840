package config

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// mask stands for a secret in everything that is printed.
const mask = "****"

// checkPostgresURL lets pgconn parse the URL, with what PG* variables and files
// add. The parser's own words are used only where they cannot hold a piece of a
// password: a malformed URL has its password anywhere.
func checkPostgresURL(conn string) error {
	_, err := pgconn.ParseConfig(conn)
	if err == nil {
		return nil
	}
	isURL := strings.HasPrefix(conn, "postgres://") || strings.HasPrefix(conn, "postgresql://")
	reason := err.Error()
	if at := strings.LastIndex(reason, "`: "); at >= 0 { // before it stands the connection string
		reason = reason[at+len("`: "):]
	}
	if strings.HasPrefix(reason, "failed to parse as") || strings.HasPrefix(reason, "invalid port") || !quotable(conn, reason) {
		if !isURL {
			return errors.New("is neither a URL (postgres://user@host:5432/database) nor keyword=value pairs (host=db user=walrelay dbname=shop)")
		}
		return errors.New("is no valid URL: check host and port, and write special characters of the user name and the password percent-encoded (@ as %40, / as %2F, : as %3A)")
	}
	return errors.New(reason)
}

// quotable tells whether text repeats none of the passwords in conn.
func quotable(conn, text string) bool {
	for _, m := range keywordPassword.FindAllStringSubmatch(conn, -1) {
		if secret := strings.Trim(m[2], "'"); secret != "" && strings.Contains(text, secret) {
			return false
		}
	}
	if u, err := url.Parse(conn); err == nil && u.User != nil {
		if secret, ok := u.User.Password(); ok && secret != "" && strings.Contains(text, secret) {
			return false
		}
	}
	return true
}

// keywordPassword matches password and sslpassword of a keyword/value string and
// of a URL's query.
var keywordPassword = regexp.MustCompile(`(?i)(password\s*=\s*)('(?:\\.|[^'\\])*'|(?:\\.|[^\s\\&])*)`)

// maskURL returns a connection string that parses, with its passwords masked. In
// doubt it masks more than the password.
func maskURL(conn string) string {
	scheme, rest, isURL := strings.Cut(conn, "://")
	if !isURL || !strings.HasPrefix(scheme, "postgres") {
		return keywordPassword.ReplaceAllString(conn, "${1}"+mask)
	}
	query := ""
	if at := strings.IndexByte(rest, '?'); at >= 0 {
		rest, query = rest[:at], rest[at:]
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if user, _, ok := strings.Cut(rest[:at], ":"); ok {
			rest = user + ":" + mask + rest[at:]
		}
	}
	return scheme + "://" + rest + maskQuery(query)
}

// maskQuery masks password and sslpassword in a URL's query, also where their
// names are percent-encoded.
func maskQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(strings.TrimPrefix(name, "?"))
		switch {
		case !ok && strings.Contains(name, "@"): // a piece of a password with a ? in it
			pairs[i] = mask
		case ok && (err != nil || strings.Contains(strings.ToLower(plainName), "password")):
			pairs[i] = name + "=" + mask
		}
	}
	return strings.Join(pairs, "&")
}
