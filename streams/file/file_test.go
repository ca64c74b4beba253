package file

import (
	"bytes"
	"encoding/csv"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"

	"freshet/schemas"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	data := []byte(text)
	if strings.HasSuffix(name, ".gz") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(data)
		w.Close()
		data = z.Bytes()
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

type reject struct {
	line   int64
	raw    string
	reason string
}

// readAll reads the file in batches of max rows.
func readAll(t testing.TB, path string, cols []schemas.Column, o Options, max int) (*schemas.Batch, []reject) {
	t.Helper()
	l := schemas.NewLayout(cols)
	var rejects []reject
	o.Reject = func(line int64, raw []byte, err *schemas.Poison) {
		rejects = append(rejects, reject{line, string(raw), err.Reason})
	}
	r, err := Open(path, l, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := schemas.NewBatch(l, max)
	for {
		n, err := r.Next(b, max)
		if err == io.EOF && n == 0 {
			return b, rejects
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var cols = []schemas.Column{{Name: "id", Kind: schemas.Str, Required: true}, {Name: "ts", Kind: schemas.Time, Unit: schemas.Seconds}, {Name: "x", Kind: schemas.Num}}

func TestCSV(t *testing.T) {
	in := "\ufeffid,x,other,ts\r\n" + // line 1
		"a,1.50,z,2018-04-01T00:00:31Z\r\n" +
		"\r\n" +
		"\"b,\"\"q\"\"\",,z,5\n" +
		"\"c\r\nc\",-1e3,\"\",1.5\n" + // lines 5 and 6
		",1,z,5\n" + // 7: no id
		"d,abc,z,5\n" +
		"d,1,z\n" +
		"d,1,z,\n" + // 10: no time
		"d,1,z,soon\n" +
		"d\"x,1,z,5\n" +
		"\"d\"x,1,z,5\n" +
		"e,true,z,5\n" +
		"f, 7 ,z,5\n" +
		"g,1,\"open,5\n" + // 16
		"h,2,z,6"
	for _, name := range []string{"a.csv", "a.csv.gz"} {
		for _, buffer := range []int{1, 7, 0} {
			b, rejects := readAll(t, write(t, name, in), cols, Options{TimeCol: 1, BufferBytes: buffer}, 3)
			got := ""
			for i := range b.Len {
				got += fmt.Sprintf("%d %s %d %v|", b.Offset[i], b.Str[0][i], b.Time[i], b.Num[1][i])
			}
			want := "0 a 1522540831000 1.5|1 b,\"q\" 5000 NaN|2 c\nc 1500 -1000|10 e 5000 1|11 f 5000 7|13 h 6000 2|"
			if got != want {
				t.Errorf("buffer %d:\n%q\n%q", buffer, got, want)
			}
			wantRejects := []reject{{7, ",1,z,5", "null_key"}, {8, "d,abc,z,5", "not_a_number"}, {9, "d,1,z", "wrong_field_count"}, {10, "d,1,z,", "null_time"},
				{11, "d,1,z,soon", "not_a_time"}, {12, `d"x,1,z,5`, "bad_quote"}, {13, `"d"x,1,z,5`, "bad_quote"}, {16, `g,1,"open,5`, "bad_quote"}}
			if fmt.Sprint(rejects) != fmt.Sprint(wantRejects) {
				t.Errorf("buffer %d:\n%v\n%v", buffer, rejects, wantRejects)
			}
		}
	}
}

func TestJSONLines(t *testing.T) {
	in := `{"id":"a","ts":5,"x":1}` + "\n\n" + `{"id":7,"ts":"2018-04-01"}` + "\r\n" + `{"id":` + "\n" + `{"id":"` + strings.Repeat("y", 3000) + `"}` + "\n" + `{"id":"z","ts":6}`
	for _, name := range []string{"a.jsonl", "a.json.gz", "a.ndjson"} {
		b, rejects := readAll(t, write(t, name, in), cols, Options{TimeCol: 1, BufferBytes: 64, MaxRecordBytes: 1000}, 2)
		if b.Len != 3 || string(b.Str[0][1]) != "7" || b.Time[0] != 5000 || b.Offset[2] != 4 || string(b.Str[0][2]) != "z" || string(b.Str[0][0]) != "a" {
			t.Errorf("%q %v %v", b.Str, b.Time, b.Offset)
		}
		if len(rejects) != 2 || rejects[0].line != 4 || rejects[0].reason != "truncated" || rejects[1].line != 5 || rejects[1].reason != "too_large" {
			t.Errorf("%.200v", rejects)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "id,ts,xx\n", `no column "x", the nearest is "xx"`},
		{"a.csv", "", "empty, expected a header"},
		{"a.csv", "id,id,ts,x\n", `column "id" is twice`},
		{"a.txt", "id", "unknown extension"},
		{"a.csv", "\x1f\x8bxx", "gzip"},
	} {
		_, err := Open(write(t, c.name, c.text), schemas.NewLayout(cols), Options{TimeCol: -1})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s %q: %v", c.name, c.text, err)
		}
	}
	if _, err := Open("none.csv", schemas.NewLayout(nil), Options{TimeCol: -1}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	// A gzip stream that is cut off is an error of its own, not the end.
	path := write(t, "cut.csv.gz", "id,ts,x\n"+strings.Repeat("a,1,2\nbcd,3,4\n", 10000))
	data, _ := os.ReadFile(path)
	os.WriteFile(path, data[:len(data)-20], 0o644)
	r, err := Open(path, schemas.NewLayout(cols), Options{TimeCol: -1, BufferBytes: 4096})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := schemas.NewBatch(schemas.NewLayout(cols), 10)
	for err == nil {
		b.Reset()
		_, err = r.Next(b, 100)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "cut.csv.gz: line ") {
		t.Error(err)
	}
}

// TestAgainstEncodingCSV: whatever encoding/csv writes or reads without an error, we read as the same fields.
func TestAgainstEncodingCSV(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.StringOf(rapid.SampledFrom([]rune("ab,\"\n\r é1"))), 3, 3), 0, 6).Draw(t, "rows")
		var buf bytes.Buffer
		w := csv.NewWriter(&buf)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		w.Write([]string{"p", "q", "r"})
		w.WriteAll(rows)
		compareCSV(t, dir, buf.Bytes())
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

func compareCSV(t fataler, dir string, in []byte) {
	std := csv.NewReader(bytes.NewReader(in))
	rows, err := std.ReadAll()
	if err != nil || len(rows) == 0 || bytes.HasPrefix(in, []byte("\ufeff")) {
		return
	}
	seen := map[string]bool{}
	for _, h := range rows[0] {
		if seen[h] {
			return
		}
		seen[h] = true
	}
	path := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(path, in, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, schemas.NewLayout(nil), Options{TimeCol: -1, BufferBytes: 5})
	if err != nil {
		t.Fatalf("%q: %v", in, err)
	}
	defer r.Close()
	if fmt.Sprintf("%q", r.Columns()) != fmt.Sprintf("%q", rows[0]) {
		t.Fatalf("%q: header %q, encoding/csv %q", in, r.Columns(), rows[0])
	}
	b := schemas.NewBatch(schemas.NewLayout(nil), 1)
	for _, want := range rows[1:] {
		if n, err := r.Next(b, 1); n != 1 || err != nil {
			t.Fatalf("%q: %d %v", in, n, err)
		}
		if fmt.Sprintf("%q", r.fields) != fmt.Sprintf("%q", want) {
			t.Fatalf("%q: %q, encoding/csv %q", in, r.fields, want)
		}
		var m map[string]any
		d := stdjson.NewDecoder(bytes.NewReader(r.AppendJSON(nil)))
		d.UseNumber()
		if err := d.Decode(&m); err != nil {
			t.Fatalf("%s: %v", r.AppendJSON(nil), err)
		}
		for i, h := range rows[0] {
			if got := m[string([]rune(h))]; got != nil && fmt.Sprint(got) != string([]rune(want[i])) || (got == nil) != (want[i] == "") {
				t.Fatalf("%q: member %q is %v", in, h, got)
			}
		}
	}
	if n, err := r.Next(b, 1); n != 0 || err != io.EOF || r.Rejected() != 0 {
		t.Fatalf("%q: %d %v, %d rejected, encoding/csv is at its end", in, n, err, r.Rejected())
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\"\"y\"\n\"\n\",\r\n"))
	f.Add([]byte("a\n\"\r\n\"\n\n1e999\r"))
	f.Fuzz(func(t *testing.T, in []byte) { compareCSV(t, t.TempDir(), in) })
}

// shared finds a file of the golden data beside the repository.
func shared(t testing.TB, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if p := filepath.Join(dir, "..", "shared", "data", name); exists(p) {
			return p
		}
	}
	t.Skipf("golden data ../shared/data/%s is not beside the repository", name)
	return ""
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

var fraudCols = []schemas.Column{{Name: "TRANSACTION_ID", Kind: schemas.Str, Required: true}, {Name: "TX_DATETIME", Kind: schemas.Time, Required: true},
	{Name: "CUSTOMER_ID", Kind: schemas.Str, Required: true}, {Name: "TERMINAL_ID", Kind: schemas.Str, Required: true}, {Name: "TX_AMOUNT", Kind: schemas.Num}}

func TestFraudFile(t *testing.T) {
	path := shared(t, "fraud/transactions.csv.gz")
	l := schemas.NewLayout(fraudCols)
	r, err := Open(path, l, Options{TimeCol: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := schemas.NewBatch(l, 4096)
	read := func() int {
		b.Reset()
		n, err := r.Next(b, 4096)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 5 {
		read()
	}
	// None a row; the batch itself takes a new arena now and then (16 KiB hold about 900 rows' strings).
	if n := testing.AllocsPerRun(20, func() { read() }); n > 4096/500 {
		t.Errorf("%v allocations for 4,096 rows", n)
	}
	if b.Offset[0] != 25*4096 || string(b.Str[0][0]) != strconv.FormatInt(b.Offset[0], 10) {
		t.Errorf("row %d has id %s", b.Offset[0], b.Str[0][0])
	}
	if read, total := r.BytesRead(); read <= 0 || read >= total {
		t.Error(read, total)
	}
}

func TestWriterRoundTrip(t *testing.T) {
	dir := t.TempDir()
	values := []float64{0, 1, -1, 1.5, 0.1, 1e15, 1e16, 123456789.25, 1e-7, 1e21, 1e300, math.NaN(), math.Inf(1), math.Copysign(0, -1), math.SmallestNonzeroFloat64}
	for _, name := range []string{"o.csv", "o.csv.gz"} {
		path := filepath.Join(dir, name)
		names := make([]string, len(values))
		back := []schemas.Column{{Name: "the id", Kind: schemas.Str}}
		for i := range names {
			names[i] = "f" + strconv.Itoa(i)
			back = append(back, schemas.Column{Name: names[i], Kind: schemas.Num})
		}
		w, err := Create(path, "the id", names, WriterOptions{BufferBytes: 100})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if err := w.Write([]byte("a,\""+strconv.Itoa(i)), values); err != nil {
				t.Fatal(err)
			}
		}
		if exists(path) {
			t.Error("the file is there before it is whole")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b, rejects := readAll(t, path, back, Options{TimeCol: -1}, 7)
		if b.Len != 100 || len(rejects) != 0 || string(b.Str[0][99]) != `a,"99` {
			t.Fatalf("%d rows, %v", b.Len, rejects)
		}
		for i, v := range values {
			if got := b.Num[i][50]; math.Float64bits(got) != math.Float64bits(v) && v == v {
				t.Errorf("%v comes back as %v", v, got)
			}
		}
		if exists(path + ".partial") {
			t.Error("the partial file is still there")
		}
	}
	var out bytes.Buffer
	w := NewWriter(&out, "id", []string{"a", "b"}, WriterOptions{})
	w.Write([]byte("1"), []float64{2, math.NaN()})
	w.Close()
	if out.String() != "id,a,b\n1,2,\n" {
		t.Errorf("%q", out.String())
	}
	if w.Write(nil, []float64{1, 2}) == nil {
		t.Error("a closed writer writes")
	}
}

func BenchmarkFraudFile(b *testing.B) {
	path := shared(b, "fraud/transactions.csv.gz")
	l := schemas.NewLayout(fraudCols)
	rows := 0
	for b.Loop() {
		r, err := Open(path, l, Options{TimeCol: 1})
		if err != nil {
			b.Fatal(err)
		}
		batch := schemas.NewBatch(l, 4096)
		for err == nil {
			batch.Reset()
			var n int
			n, err = r.Next(batch, 4096)
			rows += n
		}
		r.Close()
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWriter(b *testing.B) {
	x := []float64{57.16, 1, 0, 1, 135.33, 7, 85.64999999999999, 30, 61.123456789, 12, 0.0123, 55, 0.002, 120, 1.0 / 3}
	w := NewWriter(io.Discard, "id", make([]string, len(x)), WriterOptions{})
	id := []byte("1754154")
	b.ReportAllocs()
	for b.Loop() {
		w.Write(id, x)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
