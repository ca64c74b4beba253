package file

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

func put(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// show writes a table short: a line each column.
func show(t *Table) string {
	var b strings.Builder
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%s %v %v %v\n", c.Name, c.Values, c.Nominal, c.Texts)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	path := put(t, "t.csv", "a,nom_b,nom_c,d,e,f\n1,2,x,x,1,\n-2.5e1,0,y,,NA,nan\n 3 ,,x,\"y,z\",?,null\n")
	var read atomic.Int64
	got, err := ReadTable(context.Background(), path, TableOptions{Read: &read})
	want := "a [1 -25 3] false []\nnom_b [2 0 NaN] true []\nnom_c [0 1 0] true [x y]\nd [0 NaN 1] true [x y,z]\ne [1 NaN NaN] false []\nf [NaN NaN NaN] false []\n"
	if err != nil || show(got) != want || got.Rows != 3 || read.Load() != 3 {
		t.Fatalf("%v\n%s\nwant\n%s", err, show(got), want)
	}
	if c, _ := got.Column("d"); c.Text(2) != "y,z" || c.Text(1) != "(missing)" || c.Categories() != 2 {
		t.Error(c)
	}
	if c, _ := got.Column("nom_b"); c.Text(0) != "2" || c.Categories() != 3 {
		t.Error(c)
	}
	got, err = ReadTable(context.Background(), path, TableOptions{Limit: 2, Only: []string{"a", "e"}, Nominal: []string{"a"}})
	if err != nil || show(got) != "a [0 1] true [1 -2.5e1]\ne [1 NaN] false []\n" {
		t.Errorf("%v\n%s", err, show(got))
	}
	bare, err := Headerless(put(t, "x.txt", "1\n2\n"))
	if err != nil || !bare {
		t.Error(bare, err)
	}
	got, err = ReadTable(context.Background(), put(t, "x.txt", "1\n2\n3"), TableOptions{NoHeader: true})
	if err != nil || show(got) != "c0 [1 2 3] false []\n" {
		t.Errorf("%v\n%s", err, show(got))
	}
	if bare, err := Headerless(path); bare || err != nil {
		t.Error(bare, err)
	}
}

func TestTableMistakes(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		text, want string
		o          TableOptions
	}{
		{"a\n1\n2\nx\n", "line 4: column a: expected a number, found \"x\"", TableOptions{}},
		{"a,b\n1,2\n3\n", "line 3: 1 fields", TableOptions{}},
		{"", "empty", TableOptions{}},
		{"a,a\n1,2\n", "twice", TableOptions{}},
		{"amount\n1\n", `no column "amuont", the nearest is "amount"`, TableOptions{Only: []string{"amuont"}}},
		{"a\n\"1\n", "line 2", TableOptions{}},
	} {
		if _, err := ReadTable(ctx, put(t, "t.csv", c.text), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	// A text that comes after many numbers is a mistake, whatever comes behind it.
	long := "a\n" + strings.Repeat("1\n", decideAfter) + strings.Repeat("x\n", 2*decideAfter)
	if _, err := ReadTable(ctx, put(t, "t.csv", long), TableOptions{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line %d:", decideAfter+2)) {
		t.Error(err)
	}
	// A column of categories may have numbers among them.
	mixed := "a\n" + strings.Repeat("A1\n7\n", 10)
	if got, err := ReadTable(ctx, put(t, "t.csv", mixed), TableOptions{}); err != nil || fmt.Sprint(got.Columns[0].Texts) != "[A1 7]" {
		t.Error(err)
	}
	if _, err := ReadTable(ctx, put(t, "t.jsonl", "{}\n"), TableOptions{}); err == nil || !strings.Contains(err.Error(), "expected .csv") {
		t.Error(err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ReadTable(stopped, put(t, "t.csv", "a\n"+strings.Repeat("1\n", 5000)), TableOptions{}); err != context.Canceled {
		t.Error(err)
	}
}

type parquetRow struct {
	Int    int64     `parquet:"int"`
	Small  *int32    `parquet:"small,optional"`
	Float  float32   `parquet:"float"`
	Double *float64  `parquet:"double,optional"`
	Yes    bool      `parquet:"yes"`
	Text   string    `parquet:"text,dict"`
	Kind   int32     `parquet:"nom_kind"`
	Money  int64     `parquet:"money,decimal(2:18)"`
	Big    uint64    `parquet:"big"`
	At     time.Time `parquet:"at,timestamp(millisecond)"`
}

func TestTableParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	seven, half := int32(7), 0.5
	rows := []parquetRow{
		{Int: -1, Small: &seven, Float: 0.25, Double: &half, Yes: true, Text: "b", Kind: 1, Money: 1999, Big: math.MaxUint64, At: time.UnixMilli(1500)},
		{Int: 2, Text: "a", Kind: 0, Money: -5, At: time.UnixMilli(0)},
		{Int: 3, Text: "b", Kind: 4, Double: &half},
	}
	if err := parquet.WriteFile(path, rows, parquet.MaxRowsPerRowGroup(2)); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTable(context.Background(), path, TableOptions{Ignore: []string{"at"}})
	want := "int [-1 2 3] false []\nsmall [7 NaN NaN] false []\nfloat [0.25 0 0] false []\ndouble [0.5 NaN 0.5] false []\nyes [1 0 0] false []\ntext [0 1 0] true [b a]\n" +
		"nom_kind [1 0 4] true []\nmoney [19.99 -0.05 0] false []\nbig [1.8446744073709552e+19 0 0] false []\n"
	if err != nil || show(got) != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, show(got), want)
	}
	got, err = ReadTable(context.Background(), path, TableOptions{Only: []string{"at", "int"}, Limit: 2})
	if err != nil || show(got) != "int [-1 2] false []\nat [1500 0] false []\n" {
		t.Errorf("%v\n%s", err, show(got))
	}
	if _, err := ReadTable(context.Background(), path, TableOptions{Only: []string{"tex"}}); err == nil || !strings.Contains(err.Error(), `the nearest is "text"`) {
		t.Error(err)
	}
}

// TestTableParquetDamaged: any byte of the file may be wrong; the answer is an error or a table, never a panic.
func TestTableParquetDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	type row struct {
		A float64 `parquet:"a"`
		B string  `parquet:"b"`
	}
	var rows []row
	for i := range 50 {
		rows = append(rows, row{float64(i), fmt.Sprint(i % 3)})
	}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := 0; i < len(whole); i += 3 {
		b := append([]byte(nil), whole...)
		b[i] ^= 0x55
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable(context.Background(), path, TableOptions{}); err != nil {
			refused++
			if !strings.Contains(err.Error(), "t.parquet") {
				t.Errorf("byte %d: %v does not name the file", i, err)
			}
		}
	}
	if refused < 20 {
		t.Errorf("%d damaged files are refused", refused)
	}
	for _, n := range []int{0, 3, 8, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable(context.Background(), path, TableOptions{}); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(whole))
		}
	}
}

// FuzzTable: whatever a file holds, the answer is an error or a table whose columns have a value a row.
func FuzzTable(f *testing.F) {
	f.Add("a,nom_b\n1,x\n2,\n", false)
	f.Add("1\n2\n\n3", true)
	f.Add("a\n\"x\ny\"\n", false)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, bare bool) {
		path := filepath.Join(dir, "t.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = Headerless(path)
		got, err := ReadTable(context.Background(), path, TableOptions{NoHeader: bare})
		if err != nil {
			return
		}
		for _, c := range got.Columns {
			if len(c.Values) != got.Rows {
				t.Fatalf("%d values of %d rows", len(c.Values), got.Rows)
			}
			for i, v := range c.Values {
				if c.Nominal && v == v && (v < 0 || c.Texts != nil && int(v) >= len(c.Texts)) {
					t.Fatalf("code %v", v)
				}
				if c.Nominal {
					_ = c.Text(i)
				}
			}
		}
	})
}
