package schemas

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func testLayout() *Layout {
	return NewLayout([]Column{{Name: "id", Kind: Str}, {Name: "a", Kind: Num}, {Name: "at", Kind: Time}, {Name: "s", Kind: Str}})
}

func drawSegment(t *rapid.T, l *Layout) *Segment {
	n := rapid.IntRange(0, 40).Draw(t, "n")
	s := &Segment{Kind: SegmentKind(rapid.IntRange(0, 2).Draw(t, "k")), Input: 3, Stage: 9, Part: 513, Schema: l.Fingerprint32(),
		Progress: rapid.Int64().Draw(t, "p"), Rows: NewBatch(l, n)}
	seq, prog := int64(0), rapid.Int64Range(-1e15, 1e15).Draw(t, "prog")
	for range n {
		seq += rapid.Int64Range(0, 1e6).Draw(t, "dseq")
		prog += rapid.Int64Range(0, 1e9).Draw(t, "dprog")
		r := s.Rows.AppendRow(seq)
		s.Prog = append(s.Prog, prog)
		s.Rows.Time[r] = prog - rapid.Int64Range(-1e6, 1e6).Draw(t, "late")
		for i := range s.Rows.Num {
			s.Rows.Num[i][r] = rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 2.5, math.NaN(), math.Inf(1), 1e300, 1 << 53, -7, float64(r)}).Draw(t, "v")
		}
		for i := range s.Rows.Str {
			s.Rows.Str[i][r] = rapid.SampledFrom([][]byte{nil, {}, []byte("x"), []byte("a longer one")}).Draw(t, "s")
		}
	}
	return s
}

func TestSegmentRoundTrip(t *testing.T) {
	l := testLayout()
	var got Segment
	rapid.Check(t, func(t *rapid.T) {
		s := drawSegment(t, l)
		enc := s.Append(nil)
		if err := got.Decode(enc, l); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Append(nil), enc) {
			t.Fatal("encoding what was decoded gives other bytes")
		}
		if got.Rows.Len != s.Rows.Len || got.Progress != s.Progress || got.Part != 513 || got.Input != 3 {
			t.Fatalf("got %+v", got)
		}
		for i := range s.Rows.Num {
			for r := range s.Rows.Len {
				if math.Float64bits(got.Rows.Num[i][r]) != math.Float64bits(s.Rows.Num[i][r]) {
					t.Fatalf("column %d row %d: %v, want %v", i, r, got.Rows.Num[i][r], s.Rows.Num[i][r])
				}
			}
		}
		for i := range s.Rows.Str {
			for r := range s.Rows.Len {
				if !bytes.Equal(got.Rows.Str[i][r], s.Rows.Str[i][r]) || (got.Rows.Str[i][r] == nil) != (s.Rows.Str[i][r] == nil) {
					t.Fatalf("string column %d row %d: %q, want %q", i, r, got.Rows.Str[i][r], s.Rows.Str[i][r])
				}
			}
		}
		for cut := range enc { // every truncation is an error, except where only trailing string bytes of length 0 are missing
			if err := got.Decode(enc[:cut], l); err == nil && cut < 11 {
				t.Fatalf("cut at %d accepted", cut)
			}
		}
	})
}

func FuzzSegmentDecode(f *testing.F) {
	l := testLayout()
	f.Add((&Segment{Progress: 5}).Append(nil))
	b := NewBatch(l, 2)
	b.AppendRow(1)
	b.AppendRow(2)
	f.Add((&Segment{Progress: 5, Rows: b, Prog: []int64{1, 5}}).Append(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		var s Segment
		if s.Decode(p, l) == nil {
			for i := range s.Rows.Num {
				if len(s.Rows.Num[i]) != s.Rows.Len {
					t.Fatal("ragged")
				}
			}
			for i := range s.Rows.Str {
				if len(s.Rows.Str[i]) != s.Rows.Len {
					t.Fatal("ragged")
				}
			}
		}
	})
}

func TestSegmentDecodeDoesNotAllocate(t *testing.T) {
	l := testLayout()
	b := NewBatch(l, 64)
	s := Segment{Rows: b}
	for i := range 64 {
		r := b.AppendRow(int64(i))
		b.Num[0][r] = 1.5 * float64(i)
		b.Str[0][r] = []byte("id")
		s.Prog = append(s.Prog, int64(i))
	}
	enc := s.Append(nil)
	var d Segment
	buf := make([]byte, 0, 2*len(enc))
	if err := d.Decode(enc, l); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := d.Decode(enc, l); err != nil {
			t.Fatal(err)
		}
		buf = d.Append(buf[:0])
	}); n != 0 {
		t.Fatalf("%v allocations a segment", n)
	}
}
