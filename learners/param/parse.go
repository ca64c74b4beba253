package param

import (
	"fmt"
	"strings"
)

// maxText bounds the length of a learner's or detector's text.
const maxText = 4096

// maxNesting bounds how deep learners may stand inside each other.
const maxNesting = 8

// Parse splits "name" or "name(key=value, key=value)" into the name and the raw values, for Resolve. Blanks do not
// count. A value may itself be such a text, or a list [a, b(c=1)] of them: it is taken whole, to be parsed by whoever
// knows its kind. Errors name the position, from 1. O(len(s)).
func Parse(s string) (name string, raw map[string]any, err error) {
	if len(s) > maxText {
		return "", nil, fmt.Errorf("text of %d bytes is longer than %d", len(s), maxText)
	}
	at := func(i int, format string, args ...any) error {
		return fmt.Errorf("%q, position %d: %s", s, i+1, fmt.Sprintf(format, args...))
	}
	open := strings.IndexByte(s, '(')
	head := s
	if open >= 0 {
		head = s[:open]
	}
	name = strings.TrimSpace(head)
	if !word(name) {
		return "", nil, at(0, "expected a name such as logistic or logistic(rate=0.01)")
	}
	raw = map[string]any{}
	if open < 0 {
		return name, raw, nil
	}
	trimmed := strings.TrimRight(s, " \t")
	if trimmed[len(trimmed)-1] != ')' {
		return "", nil, at(len(trimmed), "expected ) at the end")
	}
	inside := trimmed[open+1 : len(trimmed)-1]
	if strings.TrimSpace(inside) == "" {
		return name, raw, nil
	}
	pos := open + 1
	parts, bad := split(inside)
	if bad >= 0 {
		return "", nil, at(open+1+bad, "brackets do not match, or stand deeper than %d", maxNesting)
	}
	for _, part := range parts {
		eq := strings.IndexByte(part, '=')
		if eq < 0 {
			return "", nil, at(pos, "expected parameter=value, got %q", strings.TrimSpace(part))
		}
		key, value := strings.TrimSpace(part[:eq]), strings.TrimSpace(part[eq+1:])
		if !word(key) {
			return "", nil, at(pos, "expected a parameter's name before =, got %q", key)
		}
		if value == "" || strings.ContainsAny(value, "()=") && !nested(value) {
			return "", nil, at(pos+eq+1, "expected a value for %s, got %q", key, value)
		}
		if _, twice := raw[key]; twice {
			return "", nil, at(pos, "parameter %s is given twice", key)
		}
		raw[key] = value
		pos += len(part) + 1
	}
	return name, raw, nil
}

// split cuts s at the commas outside of brackets; bad is the position of a bracket without its partner, or -1.
func split(s string) (parts []string, bad int) {
	var open []byte
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '(', '[':
			if len(open) == maxNesting {
				return nil, i
			}
			open = append(open, c)
		case ')', ']':
			if len(open) == 0 || (open[len(open)-1] == '(') != (c == ')') {
				return nil, i
			}
			open = open[:len(open)-1]
		case ',':
			if len(open) == 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	if len(open) > 0 {
		return nil, len(s) - 1
	}
	return append(parts, s[from:]), -1
}

// nested reports whether a value has the form name(…) or […].
func nested(v string) bool {
	if v[0] == '[' {
		return v[len(v)-1] == ']'
	}
	i := strings.IndexByte(v, '(')
	return i > 0 && word(strings.TrimSpace(v[:i])) && v[len(v)-1] == ')'
}

// List splits the text of a Learners parameter, [a, b(c=1)] or one without brackets, into its items.
func List(s string) ([]string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	parts, bad := split(s)
	if bad >= 0 {
		return nil, fmt.Errorf("%q: brackets do not match", s)
	}
	for i, p := range parts {
		if parts[i] = strings.TrimSpace(p); parts[i] == "" {
			return nil, fmt.Errorf("%q: item %d is empty", s, i+1)
		}
	}
	return parts, nil
}

func word(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
			return false
		}
	}
	return s != ""
}

// Suggest returns `; did you mean "x"?` for the nearest of the names, or the list of names if none is near.
func Suggest(name string, names []string) string {
	best, at := 1<<30, -1
	for i, n := range names {
		if d := distance(strings.ToLower(name), n); d < best {
			best, at = d, i
		}
	}
	if at >= 0 && best <= 1+len(name)/2 {
		return fmt.Sprintf("; did you mean %q?", names[at])
	}
	if len(names) == 0 {
		return "; there are none"
	}
	return "; there are " + strings.Join(names, ", ")
}

// distance is Levenshtein's, O(len(a)*len(b)).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := prev
			if a[i-1] != b[j-1] {
				cost++
			}
			prev = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
