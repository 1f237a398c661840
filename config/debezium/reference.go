package debezium

import (
	"regexp"
	"strings"
)

// provider matches a reference of Kafka Connect's configuration providers:
// ${provider:key}, ${provider:path:key}.
var provider = regexp.MustCompile(`\$\{([^}:]*):(?:[^}]*:)?([^}]*)\}`)

// resolveProviders replaces the references to the environment that are set and
// names the first one that cannot be resolved here. The files and vaults that others
// point to are not read: they hold secrets.
func resolveProviders(value string, env func(string) (string, bool)) (resolved, missing string) {
	resolved = provider.ReplaceAllStringFunc(value, func(ref string) string {
		m := provider.FindStringSubmatch(ref)
		if m[1] == "env" {
			if text, ok := env(m[2]); ok {
				return text
			}
		}
		if missing == "" {
			missing = ref
		}
		return ref
	})
	return resolved, missing
}

// expand resolves the expressions of Quarkus, ${NAME} and ${NAME:default}, which may
// stand within each other; \${ is no expression. ${routedByValue} is the router's own
// and stays as it is also without the backslash.
func expand(value string, env func(string) (string, bool)) (resolved, missing string) {
	var b strings.Builder
	for value != "" {
		switch {
		case strings.HasPrefix(value, `\$`), strings.HasPrefix(value, "$$"):
			b.WriteByte('$')
			value = value[2:]
		case strings.HasPrefix(value, "${"):
			end := closing(value)
			if end < 0 { // Quarkus is lenient here
				b.WriteString(value)
				return b.String(), missing
			}
			text, lost := reference(value[:end+1], env)
			if missing == "" {
				missing = lost
			}
			b.WriteString(text)
			value = value[end+1:]
		default:
			b.WriteByte(value[0])
			value = value[1:]
		}
	}
	return b.String(), missing
}

// reference resolves one expression with its braces.
func reference(expr string, env func(string) (string, bool)) (text, missing string) {
	name, def, hasDefault := strings.Cut(expr[2:len(expr)-1], ":")
	if name == "routedByValue" && !hasDefault {
		return expr, ""
	}
	if strings.Contains(name, "{") { // a name that is put together: too clever to follow
		return expr, expr
	}
	for _, variable := range []string{name, environmentName(name)} {
		if text, ok := env(variable); ok {
			return text, ""
		}
	}
	if hasDefault {
		return expand(def, env)
	}
	return expr, expr
}

// closing returns the place of the brace that closes the one at value[1].
func closing(value string) int {
	depth := 0
	for i := range len(value) {
		switch {
		case value[i] == '{' && i > 0 && value[i-1] == '$':
			depth++
		case value[i] == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// environmentName is the variable that stands for a property: letters in upper
// case, everything else an underscore.
func environmentName(property string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, property)
}
