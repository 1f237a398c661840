package config

import (
	"regexp"
	"slices"
	"strings"
)

// suggest returns the candidate that text is most likely a slip of the pen for, or
// "": at most two edits away, and not most of the word.
func suggest(text string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		d := edits(strings.ToLower(text), strings.ToLower(c))
		if d < distance && d*2 < len(c)+1 {
			best, distance = c, d
		}
	}
	return best
}

func didYouMean(s string) string {
	if s == "" {
		return ""
	}
	return " (did you mean " + s + "?)"
}

// suggestKey suggests a key of the same section, else one of that name elsewhere.
func suggestKey(sec *section, name string) string {
	if name == "<<" {
		return " (YAML merge keys are not supported: write the keys out)"
	}
	if s := suggest(name, sec.names); s != "" {
		return didYouMean(s)
	}
	squash := strings.NewReplacer("_", "", "-", "").Replace
	for _, c := range sec.names { // bootStrap-style spellings: autoCreate, in-flight-bytes
		if strings.EqualFold(squash(c), squash(name)) {
			return didYouMean(c)
		}
	}
	for _, s := range settings {
		if s.last() == name {
			return didYouMean(s.key)
		}
	}
	return ""
}

// kubernetes matches what Kubernetes puts into a pod's environment for a service
// whose name begins with walrelay.
var kubernetes = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$`)

// unknownVariable refuses a WALRELAY_ variable that is a misspelt setting, and
// remarks on others, which may be somebody else's.
func (l *loader) unknownVariable(name string) {
	if !strings.HasPrefix(name, envPrefix) || name == envPrefix+"CONFIG" ||
		strings.HasPrefix(name, envPrefix+"TEST_") || kubernetes.MatchString(name) {
		return
	}
	names := []string{envPrefix + "CONFIG"}
	for _, s := range settings {
		if s.env() == name {
			return
		}
		names = append(names, s.env())
	}
	if s := suggest(name, names); s != "" {
		l.problem(Origin{rank: fromEnv, name: name}, "", "unknown variable%s", didYouMean(s))
		return
	}
	l.c.Warnings = append(l.c.Warnings, name+": no setting of walrelay; it is ignored")
}

// edits is the Levenshtein distance, with a swap of two neighbours as one edit.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// oneOf writes "a, b or c".
func oneOf(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	head := slices.Clone(list[:len(list)-1])
	return strings.Join(head, ", ") + " or " + list[len(list)-1]
}
