package streams

import (
	"fmt"
	"sort"
	"strings"
)

// SpecError is one mistake in a pipeline file.
type SpecError struct {
	File      string
	Line, Col int    // 1-based; 0 when the pipeline was built in code
	Path      string // where in the file: streams.labelled.with, features.card[0].compute.n
	Msg       string // what is wrong, with the wrong word, and what was expected
	Near      string // the nearest word that would be right, or ""
}

// Error reads "fraud.yaml:7:32: streams.labelled.with: unknown stream "chargeback", expected one of ...; nearest: chargebacks".
func (e *SpecError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Col)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Msg)
	if e.Near != "" {
		b.WriteString("; nearest: " + e.Near)
	}
	return b.String()
}

// Errors is every mistake of a pipeline file, in the order of the file. What Load, Parse and Compile return is an Errors.
type Errors []*SpecError

// Error is one line a mistake.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As see each mistake.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// maxErrors bounds what is reported of a file that is wrong all over.
const maxErrors = 200

// report collects mistakes. A path that is wrong already gets no second message about it or what is inside it: a bad
// duration must not also be a missing one.
type report struct {
	file string
	errs Errors
	bad  map[string]bool
}

func newReport(file string) *report {
	return &report{file: file, bad: map[string]bool{}}
}

// spoil marks a path as wrong without a message of its own.
func (r *report) spoil(path string) { r.bad[path] = true }

// spoilt reports whether the path or anything that it is inside of is wrong already.
func (r *report) spoilt(path string) bool {
	for {
		if r.bad[path] {
			return true
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// within reports whether the path, or anything inside it, is wrong already.
func (r *report) within(path string) bool {
	for bad := range r.bad {
		if bad == path || strings.HasPrefix(bad, path+".") || strings.HasPrefix(bad, path+"[") {
			return true
		}
	}
	return false
}

func (r *report) add(at place, path, near, format string, args ...any) {
	r.bad[path] = true
	r.errs = append(r.errs, &SpecError{File: r.file, Line: at.line, Col: at.col, Path: path, Msg: fmt.Sprintf(format, args...), Near: near})
}

// done sorts by place, drops repetitions and cuts at maxErrors; nil when there is nothing.
func (r *report) done() Errors {
	if len(r.errs) == 0 {
		return nil
	}
	es := r.errs
	sort.SliceStable(es, func(i, j int) bool {
		if es[i].Line != es[j].Line {
			return es[i].Line < es[j].Line
		}
		return es[i].Col < es[j].Col
	})
	kept := es[:0]
	for i, e := range es {
		if i == 0 || *e != *es[i-1] {
			kept = append(kept, e)
		}
	}
	if n := len(kept) - maxErrors; n > 0 {
		last := *kept[maxErrors]
		last.Path, last.Near, last.Msg = "", "", fmt.Sprintf("and %d more mistakes from here on", n)
		kept = append(kept[:maxErrors], &last)
	}
	return kept
}

// place is where something stands in the file.
type place struct {
	line, col int
	text      bool // a scalar whose text starts at col on this line: columns within it can be counted
}

// in is the place of the 1-based column within the text at p.
func (p place) in(col int) place {
	if p.text && col > 0 {
		return place{line: p.line, col: p.col + col - 1}
	}
	return p
}

// places are the places of a file's values and keys, by path; nil for a pipeline that was built in code.
type places struct{ values, keys map[string]place }

func (p *places) value(path string) place {
	if p == nil {
		return place{}
	}
	if at, ok := p.values[path]; ok {
		return at
	}
	return p.key(path)
}

// key is where the key of this path stands, or of the nearest thing around it that does exist.
func (p *places) key(path string) place {
	for p != nil {
		if at, ok := p.keys[path]; ok {
			return at
		}
		if at, ok := p.values[path]; ok {
			return at
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	if p == nil {
		return place{}
	}
	return place{line: 1, col: 1}
}

// plain is a place's line and column, for messages that name another one.
func (p place) String() string {
	if p.line == 0 {
		return "the pipeline"
	}
	return fmt.Sprintf("line %d", p.line)
}

// oneOf lists what was expected, bounded.
func oneOf(names []string) string {
	switch {
	case len(names) == 0:
		return "there are none"
	case len(names) > 24:
		return fmt.Sprintf("expected one of %s, ... (%d in all)", strings.Join(names[:24], ", "), len(names))
	case len(names) == 1:
		return "expected " + names[0]
	}
	return "expected one of " + strings.Join(names, ", ")
}

// cut bounds a word of the file in a message.
func cut(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
