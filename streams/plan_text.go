package streams

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText prints a plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	t := &planWriter{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.line("pipeline %s, %s, vectors for %s, schema %s", p.Pipeline, strings.ReplaceAll(p.Delivery, "_", " "), p.Events, p.Fingerprint)
	t.title("stages")
	for _, s := range p.Stages {
		what := s.Kind
		switch {
		case s.Kind == "ingest" && s.Entity != "":
			what += " and entity " + s.Entity
		case s.Kind == "entity":
			what = "entity"
		}
		if len(s.Key) > 0 {
			what += " by " + strings.Join(s.Key, ", ")
		}
		if s.Final {
			what += ", publishes"
		}
		t.line("  %s\t%s\treads %s (%s)", s.Name, what, s.Log, partitions(s.Partitions))
		for _, in := range s.Inputs {
			t.line("  \t  %s of %s from %s\t%s", in.Kind, in.Stream, in.From, wrapText(in.Columns, 100))
		}
	}
	t.title("topics")
	for _, x := range p.Topics {
		t.line("  %s\t%s\tkey %s\t%s\t%s", x.Name, x.Role, x.Key, partitions(x.Partitions), x.Schema)
		if len(x.Fields) > 0 {
			t.line("  \t  decoded\t%s", wrapText(x.Fields, 100))
		}
	}
	t.title("entities")
	for _, e := range p.Entities {
		t.line("  %s\tby %s\t%d features\t%s with few events, at most %s\tonline for %s", e.Name, strings.Join(e.Key, ", "), e.Features, byteSize(e.BytesEmpty), byteSize(e.BytesFull), e.TTL)
	}
	t.title("windows")
	for _, x := range p.Windows {
		t.line("  %s\tover %s\t%s\texact up to %d events, then the edge is off by at most %s", x.Entity, x.Stream, x.Window, x.ExactUpTo, x.ErrorBound)
	}
	t.title("vector")
	for _, v := range p.Vector {
		t.line("  %s\t%s\t%s", v.Name, v.Type, v.Doc)
	}
	if len(p.Models) > 0 {
		t.title("models")
	}
	for _, m := range p.Models {
		role := m.Role
		if m.Traffic > 0 {
			role += fmt.Sprintf(" of %v%% of decisions", 100*m.Traffic)
		}
		t.line("  %s\t%s\t%s\t%s from %s within %s\t%d columns", m.Name, role, m.Learner, m.Target, m.Labels, m.Horizon, len(m.Columns))
	}
	if len(p.Watches) > 0 {
		t.title("drift")
	}
	for _, x := range p.Watches {
		by := ""
		if x.By != "" {
			by = "by " + x.By
		}
		t.line("  %s\t%s\t%s", x.Watch, x.Detector, by)
	}
	if t.err != nil {
		return t.err
	}
	return t.w.Flush()
}

// planWriter keeps the first error.
type planWriter struct {
	w   *tabwriter.Writer
	err error
}

func (t *planWriter) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

func (t *planWriter) title(s string) {
	if t.err == nil {
		t.err = t.w.Flush() // each part has columns of its own
	}
	t.line("\n%s", s)
}

func partitions(s string) string {
	switch s {
	case "1":
		return "1 partition"
	case "as source", "compacted":
		return s
	}
	if strings.HasPrefix(s, "as ") {
		return "partitions " + s
	}
	return s + " partitions"
}

// wrap joins words and cuts what is too long for a line; the JSON form has all.
func wrapText(words []string, width int) string {
	s := strings.Join(words, " ")
	if len(s) <= width {
		return s
	}
	n := 0
	for i, w := range words {
		if n += len(w) + 1; n > width {
			return strings.Join(words[:i], " ") + fmt.Sprintf(" ... (%d in all)", len(words))
		}
	}
	return s
}

func byteSize(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
