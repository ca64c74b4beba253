package expr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Error is one mistake in an expression.
type Error struct {
	Column int    // 1-based, in characters from the start of the source
	Msg    string // what is wrong and what was expected
	Near   string // the nearest name that would be right, or ""
}

// Error reads "column 5: unknown name amout; nearest: amount".
func (e *Error) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("column %d: %s", e.Column, e.Msg)
	}
	return fmt.Sprintf("column %d: %s; nearest: %s", e.Column, e.Msg, e.Near)
}

// Errors is several mistakes in one expression, by column. errors.As finds the first as an *Error.
type Errors []*Error

// Error joins the mistakes with line breaks.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As see each mistake.
func (es Errors) Unwrap() []error {
	list := make([]error, len(es))
	for i, e := range es {
		list[i] = e
	}
	return list
}

// All lists the mistakes in an error of this package, by column; nil for any other error.
func All(err error) []*Error {
	var es Errors
	if errors.As(err, &es) {
		return es
	}
	var e *Error
	if errors.As(err, &e) {
		return []*Error{e}
	}
	return nil
}

func errorAt(col int, format string, args ...any) *Error {
	return &Error{Column: col, Msg: fmt.Sprintf(format, args...)}
}

// join sorts mistakes and drops repetitions (a < b < c is compiled with b twice).
func join(es []*Error) error {
	sort.SliceStable(es, func(i, j int) bool { return es[i].Column < es[j].Column })
	kept := es[:0]
	for i, e := range es {
		if i == 0 || *e != *es[i-1] {
			kept = append(kept, e)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return Errors(kept)
}

// nearest finds the candidate that a misspelt word most likely meant: the same word under an entity
// (mean_24h → card.mean_24h), or the fewest edits, at most a third of the word. "" if none is near; the first of equals.
func nearest(word string, candidates []string) string {
	for _, c := range candidates {
		if strings.HasSuffix(c, "."+word) || strings.EqualFold(c, word) {
			return c
		}
	}
	best, bestEdits := "", len(word)/3+1
	if len(word) > 64 { // nobody misspells that; keeps the quadratic distance small
		return ""
	}
	for _, c := range candidates {
		if d := len(c) - len(word); d >= bestEdits || -d >= bestEdits {
			continue
		}
		if d := edits(word, c); d < bestEdits {
			best, bestEdits = c, d
		}
	}
	return best
}

// edits is the optimal string alignment distance (insert, delete, replace, swap of neighbours), over bytes:
// Damerau 1964, in three rows. O(len(a)·len(b)).
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
