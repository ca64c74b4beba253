package streams

import (
	"bytes"
	"strings"
	"testing"

	"freshet/schemas"
)

// TestDamagedSegments: whatever stands in an internal topic, a merge answers with its rows or an error that says what is wrong; a segment
// that is refused leaves the merge as it was.
func TestDamagedSegments(t *testing.T) {
	l := schemas.NewLayout([]schemas.Column{{Name: "id", Kind: schemas.Str}, {Name: "x", Kind: schemas.Num}})
	fresh := func() *merge {
		return newMerge([]Input{{Stream: 0, From: 0}}, []int{0}, []*schemas.Layout{l}, []int{2, 2})
	}
	s := schemas.Segment{Schema: l.Fingerprint32(), Part: 1, Progress: 1000, Rows: schemas.NewBatch(l, 3)}
	for i := range 3 {
		row := s.Rows.AppendRow(int64(i))
		s.Rows.Time[row], s.Rows.Num[0][row], s.Rows.Str[0][row] = int64(990+i), 1.5, []byte{'a' + byte(i)}
		s.Prog = append(s.Prog, int64(990+i))
	}
	good := s.Append(nil)
	if m := fresh(); m.add(7, good, []*schemas.Layout{l}, false) != nil || m.rows != 3 {
		t.Fatal("the good one")
	}
	for _, c := range []struct {
		name string
		hurt func([]byte) []byte
		says string
	}{
		{"empty", func([]byte) []byte { return nil }, "shorter than its header"},
		{"text", func([]byte) []byte { return []byte("hello") }, "shorter than its header"},
		{"cut short", func(b []byte) []byte { return b[:len(b)-3] }, "damaged or cut short"},
		{"another version", func(b []byte) []byte { b[0] = 99; return b }, "segment version 99"},
		{"another input", func(b []byte) []byte { b[2] = 5; return b }, "unknown upstream"},
		{"another partition", func(b []byte) []byte { b[4] = 17; return b }, "unknown upstream"},
		{"other columns", func(b []byte) []byte { b[7] ^= 0xff; return b }, "layout"},
		{"many rows", func(b []byte) []byte { return append(b[:11:11], 0xff, 0xff, 0xff, 0x7f) }, "rows in"},
	} {
		m := fresh()
		err := m.add(7, c.hurt(bytes.Clone(good)), []*schemas.Layout{l}, false)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected %q", c.name, err, c.says)
		}
		if m.rows != 0 || m.ups[1].declared != never {
			t.Errorf("%s: the merge has moved", c.name)
		}
		if err := m.add(8, good, []*schemas.Layout{l}, false); err != nil || m.rows != 3 {
			t.Errorf("%s: the good one after it: %v", c.name, err)
		}
	}
	for i := range good { // any byte: no panic, and never more rows than were written
		for _, x := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			b := bytes.Clone(good)
			b[i] = x
			m := fresh()
			if m.add(7, b, []*schemas.Layout{l}, false) == nil {
				for n := 0; ; n++ {
					if _, _, _, ok := m.next(); !ok {
						break
					}
					if n > len(good) {
						t.Fatalf("byte %d as %d: more rows than bytes", i, x)
					}
				}
			}
		}
	}
}

// TestMergeKeeps: a row whose fold failed is the next one again, and what a checkpoint says in between still counts it as waiting.
func TestMergeKeeps(t *testing.T) {
	l := schemas.NewLayout([]schemas.Column{{Name: "id", Kind: schemas.Str}})
	m := newMerge([]Input{{Stream: 0, From: 0}}, []int{0}, []*schemas.Layout{l}, []int{1})
	s := schemas.Segment{Schema: l.Fingerprint32(), Progress: 1000, Rows: schemas.NewBatch(l, 3)}
	for i := range 3 {
		s.Rows.Str[0][s.Rows.AppendRow(int64(i+1))] = []byte{'a' + byte(i)}
		s.Rows.Time[i] = int64(10 * i)
		s.Prog = append(s.Prog, int64(10*i))
	}
	add := func(offset int64) {
		t.Helper()
		if err := m.add(offset, s.Append(nil), []*schemas.Layout{l}, false); err != nil {
			t.Fatal(err)
		}
	}
	add(4)
	var got []byte
	for i := 0; ; i++ {
		u, w, row, ok := m.next()
		if !ok {
			break
		}
		if i%2 == 0 { // each fails once
			m.keep()
			if m.low(5) != 4 || u.released != w.Rows.Offset[row]-1 && u.released != -1 {
				t.Fatalf("low %d, released %d", m.low(5), u.released)
			}
			add(4) // and its record is read again
			continue
		}
		got = append(got, w.Rows.Str[0][row]...)
	}
	if string(got) != "abc" || m.rows != 0 || m.low(5) != 5 {
		t.Errorf("%q, %d rows wait, low %d", got, m.rows, m.low(5))
	}
}
