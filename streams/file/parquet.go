package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// readParquet reads a Parquet file column by column. Whole numbers, dates and times are numbers in their unit, decimals
// are scaled, booleans are 0 and 1, texts and enumerations are texts. Lines in errors are rows, from 1.
func (t *Table) readParquet(ctx context.Context, o TableOptions) (err error) {
	defer func() {
		if p := recover(); p != nil { // what the library does with some damaged files
			err = fmt.Errorf("file %s: damaged: %v", t.Path, p)
		}
	}()
	f, err := os.Open(t.Path)
	if err != nil {
		return fmt.Errorf("file %s: %w", t.Path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("file %s: %w", t.Path, err)
	}
	pq, err := parquet.OpenFile(f, st.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("file %s: %w", t.Path, err)
	}
	var fields []*parquet.Column
	for _, c := range pq.Root().Columns() {
		t.Names = append(t.Names, c.Name())
		if !o.keeps(c.Name()) {
			continue
		}
		if !c.Leaf() || c.Repeated() {
			return fmt.Errorf("file %s: column %s is nested, expected a value a row (leave it out with --ignore %s)", t.Path, c.Name(), c.Name())
		}
		fields = append(fields, c)
		t.Columns = append(t.Columns, newColumn(c.Name(), o))
	}
	t.Rows = int(pq.NumRows())
	if o.Limit > 0 {
		t.Rows = min(t.Rows, o.Limit)
	}
	done := 0
	for _, g := range pq.RowGroups() {
		for i, c := range fields {
			if err := t.chunk(ctx, t.Columns[i], c, g.ColumnChunks()[c.Index()]); err != nil {
				return fmt.Errorf("file %s: column %s: %w", t.Path, c.Name(), err)
			}
		}
		done = min(done+int(g.NumRows()), t.Rows)
		if o.Read != nil {
			o.Read.Store(int64(done))
		}
	}
	for _, c := range t.Columns {
		if len(c.Values) != t.Rows {
			return fmt.Errorf("file %s: column %s has %d rows of %d", t.Path, c.Name, len(c.Values), t.Rows)
		}
	}
	return nil
}

// chunk appends the values of one row group's column, up to the table's rows.
func (t *Table) chunk(ctx context.Context, dst *Column, c *parquet.Column, chunk parquet.ColumnChunk) (err error) {
	read, err := converter(c)
	if err != nil {
		return err
	}
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var buf [1024]parquet.Value
	for len(dst.Values) < t.Rows {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buf[:])
			for _, v := range buf[:min(n, t.Rows-len(dst.Values))] {
				read(dst, v)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		parquet.Release(page)
	}
	return nil
}

// converter returns what appends a value of the column.
func converter(c *parquet.Column) (func(dst *Column, v parquet.Value), error) {
	number := func(f func(v parquet.Value) float64) (func(*Column, parquet.Value), error) {
		return func(dst *Column, v parquet.Value) {
			if v.IsNull() {
				dst.number(math.NaN(), int64(len(dst.Values)+1))
				return
			}
			dst.number(f(v), int64(len(dst.Values)+1))
		}, nil
	}
	scale, unsigned := 1.0, false
	if l := c.Type().LogicalType(); l != nil {
		switch v := l.Value.(type) {
		case *format.DecimalType:
			scale = math.Pow10(int(v.Scale))
		case *format.IntType:
			unsigned = !v.IsSigned
		}
	}
	switch kind := c.Type().Kind(); kind {
	case parquet.Boolean:
		return number(func(v parquet.Value) float64 {
			if v.Boolean() {
				return 1
			}
			return 0
		})
	case parquet.Int32:
		if unsigned {
			return number(func(v parquet.Value) float64 { return float64(v.Uint32()) })
		}
		return number(func(v parquet.Value) float64 { return float64(v.Int32()) / scale })
	case parquet.Int64:
		if unsigned {
			return number(func(v parquet.Value) float64 { return float64(v.Uint64()) })
		}
		return number(func(v parquet.Value) float64 { return float64(v.Int64()) / scale })
	case parquet.Float:
		return number(func(v parquet.Value) float64 { return float64(v.Float()) })
	case parquet.Double:
		return number(parquet.Value.Double)
	case parquet.ByteArray:
		if scale == 1 {
			return func(dst *Column, v parquet.Value) { dst.add(v.ByteArray(), int64(len(dst.Values)+1)) }, nil
		}
		fallthrough
	default:
		return nil, fmt.Errorf("is of type %s, expected numbers or texts (leave it out with --ignore %s)", strings.ToLower(c.Type().String()), c.Name())
	}
}
