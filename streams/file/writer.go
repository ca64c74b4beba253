package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"freshet/schemas/json"
)

// WriterOptions of a Writer.
type WriterOptions struct {
	Delimiter   byte // default ','
	BufferBytes int  // default 256 KiB
}

// Writer writes CSV: an id and numbers. It belongs to one goroutine. After an error every call returns it.
type Writer struct {
	w     io.Writer
	close []io.Closer // in order
	path  string
	temp  string
	delim byte
	cols  int
	buf   []byte
	max   int
	err   error
}

// Create writes to a file, gzipped when its name ends in .gz. The file appears under its name when Close succeeds;
// until then it is path.partial.
func Create(path, id string, columns []string, o WriterOptions) (*Writer, error) {
	temp := path + ".partial"
	f, err := os.Create(temp)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", path, err)
	}
	w := NewWriter(f, id, columns, o)
	w.close, w.path, w.temp = []io.Closer{f}, path, temp
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		if err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(temp))
		}
		w.w, w.close = z, []io.Closer{z, f}
	}
	return w, nil
}

// NewWriter writes to w, which it does not close.
func NewWriter(w io.Writer, id string, columns []string, o WriterOptions) *Writer {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.BufferBytes <= 0 {
		o.BufferBytes = 256 << 10
	}
	out := &Writer{w: w, delim: o.Delimiter, cols: len(columns), max: o.BufferBytes, buf: make([]byte, 0, o.BufferBytes+4096)}
	out.text([]byte(id))
	for _, c := range columns {
		out.buf = append(out.buf, out.delim)
		out.text([]byte(c))
	}
	out.buf = append(out.buf, '\n')
	return out
}

// Write writes one row; x has one value a column. NaN is empty, whole numbers have no point, all others are the shortest
// text that reads back as the same float64 (with an exponent only below 1e-6 and from 1e21), infinities are +Inf and -Inf.
func (w *Writer) Write(id []byte, x []float64) error {
	if w.err != nil {
		return w.err
	}
	if len(x) != w.cols {
		panic(fmt.Sprintf("BUG: file: a row of %d values for %d columns", len(x), w.cols))
	}
	w.text(id)
	b := w.buf
	for _, v := range x {
		b = append(b, w.delim)
		if v == v {
			b = json.AppendNumber(b, v)
		}
	}
	w.buf = append(b, '\n')
	if len(w.buf) >= w.max {
		return w.Flush()
	}
	return nil
}

// text appends a field, in quotes where it needs them.
func (w *Writer) text(s []byte) {
	plain := true
	for _, c := range s {
		if c == w.delim || c == '"' || c == '\n' || c == '\r' {
			plain = false
			break
		}
	}
	if plain {
		w.buf = append(w.buf, s...)
		return
	}
	w.buf = append(w.buf, '"')
	for _, c := range s {
		if c == '"' {
			w.buf = append(w.buf, '"')
		}
		w.buf = append(w.buf, c)
	}
	w.buf = append(w.buf, '"')
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.err == nil && len(w.buf) > 0 {
		if _, err := w.w.Write(w.buf); err != nil {
			w.err = fmt.Errorf("file %s: %w", w.path, err)
		}
		w.buf = w.buf[:0]
	}
	return w.err
}

// Close flushes, closes a file that Create opened and gives it its name. After an error the partial file is removed.
func (w *Writer) Close() error {
	err := w.Flush()
	for _, c := range w.close {
		if e := c.Close(); err == nil && e != nil {
			err = fmt.Errorf("file %s: %w", w.path, e)
		}
	}
	w.close = nil
	if w.temp != "" {
		if err == nil {
			err = os.Rename(w.temp, w.path)
		} else {
			err = errors.Join(err, os.Remove(w.temp))
		}
		w.temp = ""
	}
	if w.err == nil {
		w.err = errors.New("file: the writer is closed")
	}
	return err
}
