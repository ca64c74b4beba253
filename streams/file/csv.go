package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"freshet/schemas"
	"freshet/schemas/json"
)

var errTooLong = errors.New("BUG: too long")

// more reads into the buffer, which grows up to the longest record. Places are kept relative to r.r.
func (r *Reader) more() error {
	if r.r > 0 {
		copy(r.buf, r.buf[r.r:r.w])
		r.w -= r.r
		r.r = 0
	}
	if r.w == len(r.buf) {
		if len(r.buf) > r.o.MaxRecordBytes {
			return errTooLong
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if err == io.EOF {
			r.eof = true
			return nil
		}
		if n > 0 || err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// lineEnd returns the place (relative to r.r) of the first line feed at or behind from, or of the end of the file;
// io.EOF when there is nothing there.
func (r *Reader) lineEnd(from int) (int, error) {
	at := from
	for {
		if i := bytes.IndexByte(r.buf[r.r+at:r.w], '\n'); i >= 0 {
			if at+i > r.o.MaxRecordBytes {
				return 0, errTooLong
			}
			return at + i, nil
		}
		at = r.w - r.r
		if r.eof {
			if at == from {
				return 0, io.EOF
			}
			return at, nil
		}
		if at > r.o.MaxRecordBytes {
			return 0, errTooLong
		}
		if err := r.more(); err != nil {
			return 0, err
		}
	}
}

// skipLine drops the rest of a line that is too long to keep.
func (r *Reader) skipLine() error {
	for {
		if i := bytes.IndexByte(r.buf[r.r:r.w], '\n'); i >= 0 {
			r.r += i + 1
			return nil
		}
		r.r = r.w
		if r.eof {
			return nil
		}
		if err := r.more(); err != nil {
			return err
		}
	}
}

// scan makes the next record the current one. A poison is about that record; err is io.EOF or final.
func (r *Reader) scan() (*schemas.Poison, error) {
	r.line += r.lines
	for {
		r.lines = 1
		if r.line == 0 {
			r.line = 1
		}
		end, err := r.lineEnd(0)
		if err == errTooLong {
			r.rec = append([]byte(nil), r.buf[r.r:min(r.w, r.r+200)]...)
			if err := r.skipLine(); err != nil {
				return nil, err
			}
			return &schemas.Poison{Reason: "too_large", At: r.o.MaxRecordBytes, Detail: fmt.Sprintf("the line is longer than %d bytes", r.o.MaxRecordBytes)}, nil
		}
		if err != nil {
			return nil, err
		}
		var bad *schemas.Poison
		r.rec = trimCR(r.buf[r.r : r.r+end])
		if r.csv {
			if bytes.IndexByte(r.rec, '"') < 0 {
				r.split()
			} else if end, bad, err = r.quoted(end); err != nil {
				return nil, err
			}
		}
		r.r = min(r.r+end+1, r.w)
		if len(r.rec) == 0 || !r.csv && len(bytes.TrimSpace(r.rec)) == 0 {
			r.line++
			continue
		}
		if bad == nil && r.header != nil && len(r.fields) != len(r.header) {
			bad = &schemas.Poison{Reason: "wrong_field_count", At: -1, Detail: fmt.Sprintf("%d fields, the header has %d", len(r.fields), len(r.header))}
		}
		return bad, nil
	}
}

func trimCR(s []byte) []byte {
	if n := len(s); n > 0 && s[n-1] == '\r' {
		return s[:n-1]
	}
	return s
}

// split cuts a record without quotes.
func (r *Reader) split() {
	f, s, d := r.fields[:0], r.rec, r.o.Delimiter
	start := 0
	for i, c := range s {
		if c == d {
			f = append(f, s[start:i:i])
			start = i + 1
		}
	}
	r.fields = append(f, s[start:len(s):len(s)])
}

// quoted cuts a record with quotes (RFC 4180), which may go on over several lines: as long as its number of quotes is
// odd. When it turns out to be malformed, only its first line is poison and the next record begins behind that.
func (r *Reader) quoted(end int) (int, *schemas.Poison, error) {
	first := end
	quotes := bytes.Count(r.buf[r.r:r.r+end], []byte{'"'})
	for quotes%2 == 1 {
		next, err := 0, io.EOF
		if r.r+end < r.w {
			next, err = r.lineEnd(end + 1)
		}
		if err == io.EOF || err == errTooLong {
			r.rec = trimCR(r.buf[r.r : r.r+first])
			r.fields = r.fields[:0]
			return first, &schemas.Poison{Reason: "bad_quote", At: bytes.LastIndexByte(r.rec, '"'), Detail: "a quoted field does not end"}, nil
		}
		if err != nil {
			return 0, nil, err
		}
		quotes += bytes.Count(r.buf[r.r+end:r.r+next], []byte{'"'})
		end = next
		r.lines++
	}
	r.rec = trimCR(r.buf[r.r : r.r+end])
	if at, what := r.splitQuoted(); at >= 0 {
		r.lines = 1
		r.rec = trimCR(r.buf[r.r : r.r+first])
		r.fields = r.fields[:0]
		return first, &schemas.Poison{Reason: "bad_quote", At: at, Detail: what}, nil
	}
	return end, nil, nil
}

// splitQuoted returns the place of a mistake, or -1.
func (r *Reader) splitQuoted() (at int, what string) {
	f, s, d := r.fields[:0], r.rec, r.o.Delimiter
	if cap(r.unq) < len(s) {
		r.unq = make([]byte, 0, 2*len(s)) // never grows below, so fields that point into it stay where they are
	}
	r.unq = r.unq[:0]
	for i := 0; ; i++ {
		if i >= len(s) || s[i] != '"' {
			n := bytes.IndexByte(s[i:], d)
			if n < 0 {
				n = len(s) - i
			}
			v := s[i : i+n : i+n]
			if q := bytes.IndexByte(v, '"'); q >= 0 {
				return i + q, "a quote within a field that has none around it"
			}
			f = append(f, v)
			i += n
		} else {
			start := len(r.unq)
			for i++; ; {
				n := bytes.IndexByte(s[i:], '"')
				if n < 0 {
					return i, "a quoted field does not end"
				}
				r.unq = appendLines(r.unq, s[i:i+n])
				i += n + 1
				if i >= len(s) || s[i] != '"' {
					break
				}
				r.unq = append(r.unq, '"')
				i++
			}
			f = append(f, r.unq[start:len(r.unq):len(r.unq)])
			if i < len(s) && s[i] != d {
				return i, "expected the delimiter behind a quoted field"
			}
		}
		if i >= len(s) {
			r.fields = f
			return -1, ""
		}
	}
}

// appendLines appends s with its CR LF as LF, as encoding/csv gives them.
func appendLines(dst, s []byte) []byte {
	for {
		i := bytes.Index(s, []byte("\r\n"))
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), '\n')
		s = s[i+2:]
	}
}

// readHeader reads the first record and finds the layout's columns in it.
func (r *Reader) readHeader(l *schemas.Layout) error {
	bad, err := r.scan()
	if err == io.EOF {
		return fmt.Errorf("file %s: empty, expected a header line", r.path)
	}
	if err != nil {
		return fmt.Errorf("file %s: %w", r.path, err)
	}
	if bad != nil {
		return fmt.Errorf("file %s: header: %w", r.path, bad)
	}
	seen := map[string]int{}
	var errs error
	for i, f := range r.fields {
		name := string(f)
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		if _, twice := seen[name]; twice {
			errs = errors.Join(errs, fmt.Errorf("file %s: column %q is twice in the header", r.path, name))
		}
		seen[name] = i
		r.header = append(r.header, name)
		r.keys = append(r.keys, append(json.AppendString(nil, name), ':'))
	}
	for i, c := range l.Cols {
		at, ok := seen[c.Name]
		if !ok {
			hint := "the header has " + strings.Join(r.header[:min(len(r.header), 20)], ", ")
			if near := json.Nearest(c.Name, r.header); near != "" {
				hint = fmt.Sprintf("the nearest is %q", near)
			}
			errs = errors.Join(errs, fmt.Errorf("file %s: no column %q, %s", r.path, c.Name, hint))
			continue
		}
		r.names = append(r.names, c.Name)
		r.wanted = append(r.wanted, wanted{field: at, kind: c.Kind, unit: c.Unit, slot: l.Slot[i], col: len(r.names) - 1, time: i == r.o.TimeCol,
			required: c.Required || i == r.o.TimeCol})
	}
	return errs
}

// fill converts the current record's wanted fields. An empty field is null.
func (r *Reader) fill(b *schemas.Batch, row int) *schemas.Poison {
	for i := range r.wanted {
		w := &r.wanted[i]
		f := r.fields[w.field]
		if len(f) == 0 {
			if w.required {
				reason := "null_key"
				if w.kind == schemas.Time {
					reason = "null_time"
				}
				return r.poison(w, reason, "required, but empty")
			}
			continue
		}
		switch w.kind {
		case schemas.Num:
			v, ok := json.ParseFloat(f)
			if !ok {
				if v, ok = loose(f); !ok {
					return r.poison(w, "not_a_number", fmt.Sprintf("found %.40q", f))
				}
			}
			b.Num[w.slot][row] = v
		case schemas.Str:
			b.Str[w.slot][row] = b.Own(f)
		default:
			ms, ok := json.TimeOf(w.unit, f)
			if !ok {
				return r.poison(w, "not_a_time", fmt.Sprintf("expected RFC 3339 like 2018-04-01T00:00:31Z or a number, found %.40q", f))
			}
			b.Num[w.slot][row] = float64(ms)
			if w.time {
				b.Time[row] = ms
			}
		}
	}
	return nil
}

// loose reads what spreadsheets and other writers put where a number is meant.
func loose(f []byte) (float64, bool) {
	switch f = bytes.TrimSpace(f); strings.ToLower(string(f)) {
	case "":
		return math.NaN(), true
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	return json.ParseFloat(f)
}

func (r *Reader) poison(w *wanted, reason, detail string) *schemas.Poison {
	return &schemas.Poison{Reason: reason, Field: r.names[w.col], At: -1, Detail: detail}
}
