package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"freshet/schemas"
	"freshet/schemas/json"
)

// Table is a whole file in memory as columns, for those who look at data more than once: evaluating learners, measuring
// scores, comparing samples.
type Table struct {
	Path    string
	Rows    int
	Names   []string // of all columns of the file, kept or not
	Columns []*Column
}

// Column is one column of a Table: numbers, NaN where missing, or categories as codes.
type Column struct {
	Name string
	// Values has a place a row. Of a nominal column it holds codes: the whole numbers of the file itself where all of
	// them are, else the places of the texts in Texts. NaN is missing.
	Values  []float64
	Nominal bool
	Texts   []string // of a nominal column whose codes were given here, in order of appearance; else nil

	asText map[string]float64 // code of each text, while it is not certain that the column has numbers only
	codes  []float64          // parallel to Values, while asText is kept
	words  int                // values so far that are no numbers
	given  int                // values so far that are not missing
	badAt  int64              // line of the first value that is no number
	bad    string
}

// TableOptions of ReadTable. The zero value reads everything.
type TableOptions struct {
	Limit      int           // rows at most; 0: all
	Nominal    []string      // columns that are categories whatever they look like, besides those named nom_*
	Categories []string      // as Nominal, but need not be there
	Only       []string      // columns to keep; nil: all
	Ignore     []string      // columns to leave out
	NoHeader   bool          // the first line is data: columns are called c0, c1, … (CSV only)
	Read       *atomic.Int64 // counts rows, for progress; may be nil
}

// decideAfter is the number of rows after which a column's kind is settled.
const decideAfter = 10_000

// ReadTable reads a .csv, .tsv (each also gzipped) or .parquet file. A column is nominal when its name begins with
// nom_, when Options say so, or when at least half of its values in the first 10,000 rows are no numbers; a text in any
// other column is an error that names its line. Empty cells and NA, N/A, NaN, null, none and ? are missing.
func ReadTable(ctx context.Context, path string, o TableOptions) (*Table, error) {
	t := &Table{Path: path}
	if strings.HasSuffix(strings.ToLower(path), ".parquet") {
		if err := t.readParquet(ctx, o); err != nil {
			return nil, err
		}
	} else if err := t.readCSV(ctx, o); err != nil {
		return nil, err
	}
	for _, c := range t.Columns {
		if err := c.settle(path, o); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Concat(o.Nominal, o.Only) {
		if _, err := t.Column(name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Column finds a column by name; the error names the nearest one.
func (t *Table) Column(name string) (*Column, error) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("file %s: no column %q, %s", t.Path, name, hint(name, t.Names))
}

func hint(name string, names []string) string {
	if near := json.Nearest(name, names); near != "" {
		return fmt.Sprintf("the nearest is %q", near)
	}
	return "there are " + strings.Join(names[:min(len(names), 20)], ", ")
}

func (t *Table) readCSV(ctx context.Context, o TableOptions) error {
	r, err := Open(t.Path, &schemas.Layout{}, Options{TimeCol: -1, Format: formatOf(t.Path), noHeader: o.NoHeader})
	if err != nil {
		return err
	}
	defer r.Close()
	if !r.csv {
		return fmt.Errorf("file %s: expected .csv, .tsv or .parquet", t.Path)
	}
	keep := t.choose(r.header, o)
	for o.Limit == 0 || t.Rows < o.Limit {
		bad, err := r.scan()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("file %s: line %d: %w", t.Path, r.line, err)
		}
		if o.NoHeader && r.header == nil {
			for i := range r.fields {
				r.header = append(r.header, "c"+strconv.Itoa(i))
			}
			keep = t.choose(r.header, o)
		}
		if bad != nil {
			return fmt.Errorf("file %s: line %d: %s", t.Path, r.line, bad.Detail)
		}
		for i, k := range keep {
			t.Columns[i].add(r.fields[k], r.line)
		}
		t.Rows++
		if o.Read != nil {
			o.Read.Store(int64(t.Rows))
		}
		if t.Rows%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// formatOf takes files without a telling name (.txt, none) for CSV.
func formatOf(path string) string {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	for _, ext := range []string{".csv", ".tsv", ".jsonl", ".ndjson", ".json"} {
		if strings.HasSuffix(name, ext) {
			return ""
		}
	}
	return "csv"
}

// choose makes the columns that are kept, and returns their places in the file.
func (t *Table) choose(header []string, o TableOptions) (keep []int) {
	t.Names = header
	for i, name := range header {
		if o.keeps(name) {
			keep = append(keep, i)
			t.Columns = append(t.Columns, newColumn(name, o))
		}
	}
	return keep
}

func (o *TableOptions) keeps(name string) bool {
	return (o.Only == nil || slices.Contains(o.Only, name)) && !slices.Contains(o.Ignore, name)
}

func newColumn(name string, o TableOptions) *Column {
	return &Column{Name: name, Nominal: strings.HasPrefix(name, "nom_") || slices.Contains(o.Nominal, name) || slices.Contains(o.Categories, name), asText: map[string]float64{}}
}

// add appends a cell that a file has as text. It does not keep f.
func (c *Column) add(f []byte, line int64) {
	if len(c.Values) == decideAfter {
		c.decide()
	}
	f = bytes.TrimSpace(f)
	v, number := json.ParseFloat(f)
	missing := absent(f)
	if !number || missing {
		v = math.NaN()
	}
	c.Values = append(c.Values, v)
	if missing {
		if c.asText != nil {
			c.codes = append(c.codes, math.NaN())
		}
		return
	}
	c.given++
	if !number {
		c.words++
		if c.badAt == 0 {
			c.badAt, c.bad = line, string(f)
		}
	}
	if c.asText != nil {
		code, ok := c.asText[string(f)]
		if !ok {
			code = float64(len(c.asText))
			c.asText[string(f)] = code
		}
		c.codes = append(c.codes, code)
	}
}

// number appends a value that is a number for certain; NaN is missing.
func (c *Column) number(v float64, line int64) {
	if c.asText != nil && len(c.Values) <= decideAfter || c.Nominal {
		if v != v {
			c.add(nil, line)
		} else {
			c.add(strconv.AppendFloat(nil, v, 'g', -1, 64), line)
		}
		return
	}
	c.Values = append(c.Values, v)
}

func absent(f []byte) bool {
	if len(f) > 4 {
		return false
	}
	switch strings.ToLower(string(f)) {
	case "", "na", "n/a", "nan", "null", "none", "?":
		return true
	}
	return false
}

// decide settles the kind by what was seen so far; the texts of a numeric column are forgotten.
func (c *Column) decide() {
	c.Nominal = c.Nominal || c.words > 0 && 2*c.words >= c.given
	if !c.Nominal {
		c.asText, c.codes = nil, nil
	}
}

// settle makes the column final.
func (c *Column) settle(path string, o TableOptions) error {
	if c.asText != nil {
		c.decide()
	}
	if !c.Nominal {
		if c.words > 0 {
			return fmt.Errorf("file %s: line %d: column %s: expected a number, found %.40q (a column of categories is named nom_*, or given with --nominal %s)", path, c.badAt, c.Name, c.bad, c.Name)
		}
		return nil
	}
	codes := c.words == 0
	for _, v := range c.Values {
		codes = codes && (v != v || v >= 0 && v < 1<<20 && v == math.Trunc(v))
	}
	if !codes {
		c.Texts = make([]string, len(c.asText))
		for text, code := range c.asText {
			c.Texts[int(code)] = text
		}
		c.Values = c.codes
	}
	c.asText, c.codes = nil, nil
	return nil
}

// Categories is one more than the largest code; 0 of a numeric column.
func (c *Column) Categories() int {
	if !c.Nominal {
		return 0
	}
	top := -1.0
	for _, v := range c.Values {
		if v > top {
			top = v
		}
	}
	return int(top) + 1
}

// Headerless reports whether the first line of a text file is data: all its fields are numbers or missing, and at least
// one is a number.
func Headerless(path string) (bool, error) {
	if strings.HasSuffix(strings.ToLower(path), ".parquet") {
		return false, nil
	}
	r, err := Open(path, &schemas.Layout{}, Options{TimeCol: -1, Format: formatOf(path), noHeader: true})
	if err != nil {
		return false, err
	}
	defer r.Close()
	if !r.csv {
		return false, fmt.Errorf("file %s: expected .csv, .tsv or .parquet", path)
	}
	if _, err := r.scan(); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("file %s: %w", path, err)
	}
	numbers := 0
	for _, f := range r.fields {
		f = bytes.TrimSpace(f)
		if _, ok := json.ParseFloat(f); ok {
			numbers++
		} else if !absent(f) {
			return false, nil
		}
	}
	return numbers > 0, nil
}

// Text is what the file has in a row, of a nominal column; "(missing)" where it has nothing.
func (c *Column) Text(row int) string {
	v := c.Values[row]
	switch {
	case v != v:
		return "(missing)"
	case c.Texts != nil:
		return c.Texts[int(v)]
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
