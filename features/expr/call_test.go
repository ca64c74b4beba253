package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseCall(t *testing.T) {
	cases := []struct {
		src, name string
		args      []string
		cols      []int
		params    map[string]string
	}{
		{"count()", "count", nil, nil, nil},
		{" count ( ) ", "count", nil, nil, nil},
		{"sum(amount)", "sum", []string{"amount"}, []int{5}, nil},
		{"mean(a * b)", "mean", []string{"a * b"}, []int{6}, nil},
		{"distinct(merchant_id)", "distinct", []string{"merchant_id"}, []int{10}, nil},
		{"last(status)", "last", []string{"status"}, []int{6}, nil},
		{"speed(lat,  lon)", "speed", []string{"lat", "lon"}, []int{7, 13}, nil},
		{"ewma(x, halflife='1h')", "ewma", []string{"x"}, []int{6}, map[string]string{"halflife": "1h"}},
		{"ewma(x, halflife = 1h, bias=-0.5, w = true)", "ewma", []string{"x"}, []int{6}, map[string]string{"halflife": "1h", "bias": "-0.5", "w": "true"}},
		{`f(a == b, max(x, ',)"', [1, 2]), q="it's \"x\"\n")`, "f", []string{"a == b", `max(x, ',)"', [1, 2])`}, []int{3, 11}, map[string]string{"q": `it's "x"\n`}},
		{"sum('ö' == s ? x : 0, y)", "sum", []string{"'ö' == s ? x : 0", "y"}, []int{5, 23}, nil},
		{"f(k='')", "f", nil, nil, map[string]string{"k": ""}},
	}
	for _, c := range cases {
		call, err := ParseCall(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		var args []string
		var cols []int
		for _, a := range call.Args {
			args, cols = append(args, a.String()), append(cols, a.Column())
		}
		if call.Name != c.name || !reflect.DeepEqual(args, c.args) || !reflect.DeepEqual(cols, c.cols) || !reflect.DeepEqual(call.Params, c.params) {
			t.Errorf("%s: %+v, args %q at %v", c.src, call, args, cols)
		}
	}
	call, _ := ParseCall("  ewma(x, halflife='1h')")
	if call.Column != 3 || call.ParamColumns["halflife"] != 11 {
		t.Fatalf("%+v", call)
	}
}

func TestParseCallErrors(t *testing.T) {
	cases := []struct {
		src string
		col int
		msg string
	}{
		{"", 1, "expected an aggregation"},
		{"5", 1, "expected an aggregation"},
		{"sum", 4, "expected ("},
		{"sum amount", 5, "expected ("},
		{"sum(amount", 5, "expected ) at the end"},
		{"sum(", 5, "expected ) at the end"},
		{"sum(amount))", 12, "a call stands alone"},
		{"sum(amount) / 2", 13, "a call stands alone"},
		{"sum(,)", 5, "expected an argument"},
		{"sum(a, )", 8, "expected an argument"},
		{"sum(a +)", 8, "ends too early"},
		{"sum(a + @)", 9, "unrecognized"},
		{"sum((a])", 7, "found ], expected )"},
		{"sum(a]", 6, "expected , or )"},
		{"sum((a, b", 10, "expected ) for the bracket"},
		{"sum((a, b)", 5, "expected ) at the end"},
		{"f('x)", 3, "without its closing '"},
		{"f(x, a=)", 8, "expected a value for a"},
		{"f(x, a='1)", 8, "without its closing '"},
		{"f(x, a=1, a=2)", 11, "given twice"},
		{"f(a=1, x)", 8, "after a parameter"},
		{"f(x, a=1 + 2)", 8, "must be a number, a word or text"},
		{"f(x, a=b(c))", 8, "must be a number, a word or text"},
		{"f(" + strings.Repeat("x,", MaxArgs) + "x)", 67, "more than 32"},
		{strings.Repeat("x", MaxSource+1), 1, "at most 8192"},
		{"\xff", 1, "UTF-8"},
	}
	for _, c := range cases {
		_, err := ParseCall(c.src)
		var e *Error
		if !errors.As(err, &e) || e.Column != c.col || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%.40s: %v; want column %d, %q", c.src, err, c.col, c.msg)
		}
	}
	// errors of an argument's names point into the call
	call, err := ParseCall("mean(a * amont)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = call.Args[0].Compile(newRow().num("a", 1).num("amount", 2).resolve, []string{"a", "amount"})
	var e *Error
	if !errors.As(err, &e) || e.Column != 10 || e.Near != "amount" {
		t.Fatal(err)
	}
}
