package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"freshet/schemas"
	"freshet/schemas/json"
)

// Options of a Reader.
type Options struct {
	Format         string // csv or jsonl; "" by the file's extension: .csv, .tsv, .jsonl, .ndjson, .json, each also with .gz
	TimeCol        int    // index into the layout's Cols (of kind Time) that is also the row's Batch.Time; -1: none
	Delimiter      byte   // of CSV, default ',' (a tab for .tsv)
	BufferBytes    int    // read at once, default 1 MiB
	MaxRecordBytes int    // a longer record is poison, default 16 MiB for JSON lines and 1 MiB for CSV
	// Reject is told of each record that is left out: its first line's number from 1, its bytes (until it returns) and why.
	Reject func(line int64, raw []byte, err *schemas.Poison)

	noHeader bool // CSV whose first line is data
}

// Reader reads one file from its beginning to its end. It belongs to one goroutine.
type Reader struct {
	path  string
	o     Options
	csv   bool
	file  *os.File
	total int64
	read  atomic.Int64
	src   io.Reader

	buf      []byte // buf[r:w] is read but not used
	r, w     int
	eof      bool
	line     int64 // of the current record's first line, from 1
	lines    int64 // that the current record spans
	rejected int64
	row      int64 // of the next record, from 0

	header []string
	keys   [][]byte // `"name":` of each column, for AppendJSON
	rec    []byte   // the current record
	fields [][]byte // of the current record, as unquoted
	unq    []byte
	wanted []wanted
	names  []string
	parse  *json.Program
}

// wanted is one column of the layout.
type wanted struct {
	field    int // in the file
	kind     schemas.Kind
	unit     schemas.TimeUnit
	slot     int
	col      int
	time     bool
	required bool
}

// Open opens a file and reads its header. A column of the layout that the file lacks is an error that names the file,
// the column and the nearest one of the header; all of them at once.
func Open(path string, l *schemas.Layout, o Options) (*Reader, error) {
	if o.TimeCol >= len(l.Cols) || (o.TimeCol >= 0 && l.Cols[o.TimeCol].Kind != schemas.Time) {
		return nil, fmt.Errorf("file %s: TimeCol is %d, expected the index of a column of kind time or -1", path, o.TimeCol)
	}
	r := &Reader{path: path, o: o}
	name := strings.ToLower(strings.TrimSuffix(strings.ToLower(path), ".gz"))
	switch {
	case o.Format == "csv", o.Format == "" && (strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".tsv")):
		r.csv = true
	case o.Format == "jsonl", o.Format == "" && (strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".json")):
	case o.Format == "":
		return nil, fmt.Errorf("file %s: unknown extension, expected .csv, .tsv, .jsonl, .ndjson or .json, each also with .gz, or a format", path)
	default:
		return nil, fmt.Errorf("file %s: unknown format %q, expected csv or jsonl", path, o.Format)
	}
	if r.o.Delimiter == 0 {
		r.o.Delimiter = ','
		if strings.HasSuffix(name, ".tsv") {
			r.o.Delimiter = '\t'
		}
	}
	if d := r.o.Delimiter; d == '"' || d == '\n' || d == '\r' {
		return nil, fmt.Errorf("file %s: the delimiter cannot be %q", path, d)
	}
	if r.o.BufferBytes <= 0 {
		r.o.BufferBytes = 1 << 20
	}
	if r.o.MaxRecordBytes <= 0 {
		r.o.MaxRecordBytes = 16 << 20
		if r.csv {
			r.o.MaxRecordBytes = 1 << 20
		}
	}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("file %s: %w", path, err)
	}
	var err error
	switch {
	case r.csv && o.noHeader:
	case r.csv:
		err = r.readHeader(l)
	default:
		r.parse, err = json.New(l, json.Options{TimeCol: o.TimeCol, CopyStrings: true, MaxBytes: r.o.MaxRecordBytes})
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) open() (err error) {
	if r.file, err = os.Open(r.path); err != nil {
		return err
	}
	st, err := r.file.Stat()
	if err == nil && st.IsDir() {
		err = errors.New("is a directory")
	}
	if err != nil {
		r.file.Close()
		return err
	}
	r.total = st.Size()
	r.buf = make([]byte, r.o.BufferBytes)
	// The magic number decides, not the name.
	head := make([]byte, 2)
	n, err := io.ReadFull(r.file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		r.file.Close()
		return err
	}
	r.read.Add(int64(n))
	r.src = io.MultiReader(bytes.NewReader(head[:n]), counted{r})
	if n == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(r.src)
		if err != nil {
			r.file.Close()
			return fmt.Errorf("gzip: %w", err)
		}
		r.src = z
	}
	return nil
}

type counted struct{ r *Reader }

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.file.Read(p)
	c.r.read.Add(int64(n))
	return n, err
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// BytesRead is the progress: bytes of the file (compressed, if it is) read so far, and its size. Any goroutine may ask.
func (r *Reader) BytesRead() (read, total int64) { return r.read.Load(), r.total }

// Rejected is the number of records left out so far.
func (r *Reader) Rejected() int64 { return r.rejected }

// Columns are the names in a CSV file's header; nil for JSON lines.
func (r *Reader) Columns() []string { return r.header }

// Next appends up to max rows to b and returns how many; io.EOF with n == 0 at the end. A row's Offset is the record's
// number in the file, from 0, counting also those that are left out. Strings are the batch's own. Other errors (the disk,
// a damaged gzip stream) name the file and line and are final.
func (r *Reader) Next(b *schemas.Batch, max int) (n int, err error) {
	for n < max {
		bad, err := r.scan()
		if err != nil {
			if err != io.EOF {
				return n, fmt.Errorf("file %s: line %d: %w", r.path, r.line, err)
			}
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		}
		offset := r.row
		r.row++
		if bad == nil {
			row := b.AppendRow(offset)
			if r.csv {
				bad = r.fill(b, row)
			} else if err := r.parse.Decode(b, row, r.rec); err != nil {
				bad = err.(*schemas.Poison)
			}
			if bad == nil {
				n++
				continue
			}
			b.DropRow()
		}
		r.rejected++
		if r.o.Reject != nil {
			r.o.Reject(r.line, r.rec, bad)
		}
	}
	return n, nil
}

// AppendJSON appends the record that Next read last, with all its columns, as one JSON object: numbers as they are
// written when they look like JSON numbers, empty fields as null. A JSON line is appended as it is. Valid until the next
// call of Next, and only when that read a row (with max 1, to see them all).
func (r *Reader) AppendJSON(dst []byte) []byte {
	if !r.csv {
		return append(dst, r.rec...)
	}
	dst = append(dst, '{')
	for i, f := range r.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, r.keys[i]...)
		switch {
		case len(f) == 0:
			dst = append(dst, "null"...)
		case f[0] <= '9' && len(f) <= 300 && json.IsNumber(f) && finite(f):
			dst = append(dst, f...)
		default:
			dst = json.AppendString(dst, f)
		}
	}
	return append(dst, '}')
}

func finite(f []byte) bool {
	if bytes.IndexByte(f, 'e') < 0 && bytes.IndexByte(f, 'E') < 0 {
		return true
	}
	_, ok := json.ParseFloat(f)
	return ok
}
