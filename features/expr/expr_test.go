package expr

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// row is the fixture of the table tests: names with their values.
type row struct {
	syms  map[string]Symbol
	names []string
	env   Env
}

func newRow() *row { return &row{syms: map[string]Symbol{}} }

func (r *row) num(name string, v float64) *row {
	r.syms[name] = Symbol{Num, len(r.env.Num)}
	r.names, r.env.Num = append(r.names, name), append(r.env.Num, v)
	return r
}

func (r *row) flag(name string, v float64) *row {
	r.num(name, v)
	r.syms[name] = Symbol{Bool, r.syms[name].Slot}
	return r
}

func (r *row) str(name string, v []byte) *row {
	r.syms[name] = Symbol{Str, len(r.env.Str)}
	r.names, r.env.Str = append(r.names, name), append(r.env.Str, v)
	return r
}

func (r *row) resolve(name string) (Symbol, bool) { s, ok := r.syms[name]; return s, ok }

func (r *row) compile(src string) (*Program, error) {
	e, err := Parse(src)
	if err != nil {
		return nil, err
	}
	return e.Compile(r.resolve, r.names)
}

func fixture() *row {
	nan := math.NaN()
	return newRow().num("amount", 120).num("card.mean_24h", 30).num("count_1h", 7).num("zero", 0).num("neg", -7.5).
		num("null_n", nan).num("inf", math.Inf(1)).
		num("ts", 1_709_210_096_789). // Thursday 2024-02-29T12:34:56.789Z
		flag("yes", 1).flag("no", 0).flag("null_b", nan).
		str("country", []byte("DE")).str("currency", []byte("DEM")).str("empty", []byte{}).str("null_s", nil).
		str("city", []byte("Köln")).num("odd name", 5).num("user.address.zip", 50667)
}

func TestValues(t *testing.T) {
	null := math.NaN()
	cases := []struct {
		src  string
		want any
	}{
		// arithmetic
		{"amount + 1", 121.0}, {"1 + amount * 2", 241.0}, {"(1 + amount) * 2", 242.0}, {"amount - count_1h", 113.0},
		{"1 - amount", -119.0}, {"-amount", -120.0}, {"+amount", 120.0}, {"- -amount", 120.0}, {"amount / card.mean_24h", 4.0},
		{"7 % 3", 1.0}, {"-1 % 24", 23.0}, {"7 % -3", -2.0}, {"7.5 % 2", 1.5}, {"neg % 2", 0.5}, {"-6 % 3", 0.0},
		{"2 ** 3 ** 2", 512.0}, {"-2 ** 2", -4.0}, {"2 ^ 3", 8.0}, {"neg ** 2", 56.25}, {"0x10 + 1_000 + 1e1", 1026.0},
		{"amount | clip(0, 100) | sqrt()", 10.0},
		// conditions as numbers
		{"(amount > 5) + yes + no", 2.0}, {"(amount > 5) * 10", 10.0}, {"null_b + 1", null}, {"yes == 1", true}, {"true + true", 2.0},
		{"yes ? 1 : 2", 1.0}, {"null_b ? 1 : 2", 2.0},
		// null
		{"null_n + 1", null}, {"null_n * 0", null}, {"null_n ** 0", null}, {"1 ** null_n", null}, {"amount / zero", null}, {"zero / zero", null},
		{"amount / 0", null}, {"amount % 0", null}, {"zero ** -1", null}, {"inf", null}, {"1e308 * 10", null}, {"inf > 5", true}, {"1e308 * 10 * amount > 1", true},
		{"null_n == null_n", false}, {"null_n != null_n", false}, {"null_n != 5", false}, {"5 != null_n", false}, {"null_n < 5", false},
		{"null_n >= 5", false}, {"not (null_n > 5)", true}, {"null_n == nil", true}, {"null_n != nil", false}, {"nil == null_s", true},
		{"amount == nil", false}, {"nil == nil", true}, {"nil != nil", false}, {"empty == nil", false}, {"null_b == nil", true}, {"zero/zero == nil", true},
		{"null_n ?? 4", 4.0}, {"(amount ?? 4) + 1", 121.0}, {"null_n ?? null_n ?? 3", 3.0}, {"null_s ?? 'x'", "x"}, {"null_b ?? true", true},
		{"null_n ?? nil", null}, {"null_n ?? yes", 1.0}, {"nil ?? amount", 120.0},
		{"if_null(null_n, 9)", 9.0}, {"if_null(null_s, country)", "DE"}, {"isnull(null_n)", true}, {"isnull(amount)", false}, {"isnull(null_s)", true}, {"isnull(null_b)", true}, {"isnull(empty)", false},
		{"null_n in [1, 2]", false}, {"null_n not in [1, 2]", false}, {"not (null_n in [1, 2])", true}, {"null_s in ['a']", false}, {"null_s not in ['a']", false},
		{"null_s == 'a'", false}, {"null_s != 'a'", false}, {"null_s < 'a'", false}, {"null_s == null_s", false}, {"null_s startsWith ''", false}, {"null_s not contains 'a'", false}, {"len(null_s)", null},
		{"null_b and true", false}, {"null_b or yes", true}, {"not null_b", true}, {"(null_b and true) == nil", false}, {"null_b == false", false},
		// comparison
		{"amount > 3*card.mean_24h && count_1h > 5", true}, {"amount > 4*card.mean_24h && count_1h > 5", false}, {"5 < count_1h", true}, {"1 < count_1h < 10", true},
		{"1 < count_1h < 5", false}, {"amount == 120", true}, {"amount != 120", false}, {"amount <= 120 and amount >= 120", true}, {"2*amount == 8*card.mean_24h", true},
		{"amount + 1 > count_1h + 1", true}, {"amount - 1 != 119", false}, {"7 == 7.0", true}, {"amount > 4 == true", true},
		// logic
		{"yes", true}, {"not yes", false}, {"!no", true}, {"yes and no", false}, {"yes or no", true}, {"true && yes", true}, {"false or no", false}, {"yes || null_b", true},
		{"if amount > 5 { 'big' } else { 'small' }", "big"}, {"amount > 500 ? 'big' : nil", ""}, {"yes ? amount > 5 : nil", true}, {"no ? amount > 5 : nil", false}, {"(no ? yes : nil) == nil", true},
		{"yes ? 1 : no", 1.0},
		// lists
		{"count_1h in [1, 7]", true}, {"count_1h not in [1, 7]", false}, {"count_1h in []", false}, {"count_1h not in []", true}, {"country in ['FR', 'DE']", true}, {"country not in ['FR']", true},
		{"count_1h in [1,2,3,4,5,6,7,8,9,10]", true}, {"amount in [1,2,3,4,5,6,7,8,9,10]", false}, {"null_n not in [1,2,3,4,5,6,7,8,9,10]", false}, {"neg in [-7.5, 2 * 3]", true}, {"yes in [true]", true},
		{"country in ['a','b','c','d','e','f','g','h','i','DE']", true}, {"null_s not in ['a','b','c','d','e','f','g','h','i','DE']", false},
		// text
		{"country == 'DE'", true}, {"'DE' == country", true}, {"country != 'FR'", true}, {"country < currency", true}, {"currency > country", true}, {"'A' < country", true}, {"country >= 'DE'", true}, {"country <= 'DA'", false},
		{"currency startsWith country", true}, {"currency endsWith 'EM'", true}, {"currency contains 'E'", true}, {"currency not contains 'E'", false}, {"currency not startsWith 'X'", true}, {"country == currency", false}, {"country != currency", true},
		{"empty == ''", true}, {"'' == empty", true}, {"empty", ""}, {"len(city)", 4.0}, {"len('')", 0.0}, {`country == "DE" && city == 'K\u00f6ln'`, true}, {"country", "DE"}, {"'a' == 'a'", true},
		// functions
		{"abs(neg)", 7.5}, {"min(3, amount, neg)", -7.5}, {"max(3, amount, neg)", 120.0}, {"max(null_n, 1)", null}, {"max(1, null_n)", null}, {"min(null_n, null_n)", null}, {"min(1, null_n, 0)", null},
		{"round(2.5)", 3.0}, {"round(-2.5)", -3.0}, {"floor(neg)", -8.0}, {"ceil(neg)", -7.0}, {"sqrt(neg)", null}, {"log(0)", null}, {"log(neg)", null}, {"log(exp(1))", 1.0}, {"log1p(0)", 0.0}, {"log1p(-1)", null}, {"pow(2, 10)", 1024.0}, {"exp(1000)", null},
		{"clip(amount, 0, 100)", 100.0}, {"clip(neg, 0, 100)", 0.0}, {"clip(50, 0, 100)", 50.0}, {"clip(null_n, 0, 1)", null}, {"clip(1, null_n, 2)", null}, {"clip(5, 10, zero)", 0.0},
		{"hour(ts)", 12.0}, {"dow(ts)", 3.0}, {"day(ts)", 29.0}, {"month(ts)", 2.0}, {"is_weekend(ts)", false}, {"is_weekend(ts + 2 * 86400000)", true}, {"is_weekend(null_n)", false}, {"is_weekend(null_n) == nil", true}, {"hour(null_n)", null}, {"hour(-1)", 23.0}, {"day(-1)", 31.0}, {"month(1e17)", null}, {"hour(inf)", null},
		{"round(haversine_km(52.52, 13.405, 48.8566, 2.3522))", 877.0}, {"haversine_km(0, 0, 0, 180) > 20015 and haversine_km(0, 0, 0, 180) < 20016", true}, {"haversine_km(null_n, 0, 0, 0)", null}, {"haversine_km(91, 0, 0, 0)", null}, {"haversine_km(50, 7, 50, 7)", 0.0},
		// names
		{`$env["odd name"] + 1`, 6.0}, {"user.address.zip", 50667.0}, {`user["address"].zip`, 50667.0}, {"user?.address?.zip", 50667.0},
		{"amount // a comment\n + 1", 121.0},
	}
	for _, c := range cases {
		r := fixture()
		p, err := r.compile(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		switch want := c.want.(type) {
		case float64:
			if got := p.Num(&r.env); p.Kind() != Num || !sameNum(got, want) {
				t.Errorf("%s = %v (%v), want %v", c.src, got, p.Kind(), want)
			}
			if got := p.Bool(&r.env); got != (want != 0 && want == want) {
				t.Errorf("%s as a condition is %v", c.src, got)
			}
		case bool:
			if got := p.Bool(&r.env); p.Kind() != Bool || got != want {
				t.Errorf("%s = %v (%v), want %v", c.src, got, p.Kind(), want)
			}
			if got := p.Num(&r.env); want != (got == 1) {
				t.Errorf("%s as a number is %v, want %v", c.src, got, want)
			}
		case string:
			if got := p.Str(&r.env); p.Kind() != Str || string(got) != want {
				t.Errorf("%s = %q (%v), want %q", c.src, got, p.Kind(), want)
			}
		}
	}
}

func sameNum(a, b float64) bool { return a == b || a != a && b != b }

func TestErrors(t *testing.T) {
	cases := []struct {
		src  string
		col  int
		msg  string // a part of it
		near string
	}{
		{"amont > 5", 1, "unknown name amont", "amount"},
		{"5 < card.mean_24", 5, "unknown name card.mean_24", "card.mean_24h"},
		{"amount > mean_24h", 10, "unknown name mean_24h", "card.mean_24h"},
		{"'ö' == contry", 8, "unknown name contry", "country"},
		{"Amount", 1, "unknown name Amount", "amount"},
		{"quux > 5", 1, "unknown name quux", ""},
		{"sqr(amount)", 1, "unknown function sqr", "sqrt"},
		{"1 + sum(amount)", 5, "sum is an aggregation", ""},
		{"1 + count()", 11, "such as count() is defined under compute", ""},
		{"ewma(amount) > 1", 1, "ewma is an aggregation", ""},
		{"trim(country) == 'x'", 1, "unknown function trim", ""},
		{"amount == 'x'", 8, "cannot compare a number with text", ""},
		{"amount + country", 10, "+ needs a number here, found text", ""},
		{"'a' + 'b'", 1, "+ needs a number here, found text", ""},
		{"amount and yes", 1, "write x != 0", ""},
		{"not amount", 5, "needs a condition", ""},
		{"not amount > 5", 5, "needs a condition", ""},
		{"amount ? 1 : 2", 1, "needs a condition", ""},
		{"yes ? 1 : 'a'", 7, "a number and text", ""},
		{"amount ?? 'a'", 8, "a number and text", ""},
		{"amount in [1, 'a']", 15, "the list holds text", ""},
		{"amount in [1, zero]", 15, "literals only", ""},
		{"amount in [1, nil]", 15, "nil in a list", ""},
		{"amount in country", 8, "needs a list", ""},
		{"amount in 1..5", 12, "ranges are not supported", ""},
		{"country matches 'a.*'", 9, "matches is not supported", ""},
		{"amount startsWith 'a'", 1, "startsWith needs text", ""},
		{"len(amount)", 5, "len needs text", ""},
		{"abs(country)", 5, "abs needs a number", ""},
		{"abs(1, 2)", 1, "abs(x)", ""},
		{"clip(amount, 5, 1)", 1, "lo 5 above hi 1", ""},
		{"amount < nil", 8, "with nil is always false", ""},
		{"nil", 1, "the expression is nil", ""},
		{"nil + 1", 1, "found nil", ""},
		{"nil ?? nil", 5, "both nil", ""},
		{"isnull(nil)", 8, "found nil", ""},
		{"[1, 2]", 1, "is a list", ""},
		{"{a: 1}", 1, "maps are not supported", ""},
		{"amount[1]", 7, "indexing is not supported", ""},
		{"country[0:1]", 8, "slices are not supported", ""},
		{"country.upper()", 9, "methods are not supported", ""},
		{"let x = 1; x", 5, "let and ;", ""},
		{"amount; zero", 1, "let and ;", ""},
		{"9007199254740993", 1, "beyond 2^53", ""},
		{"b'abc'", 1, "byte literals", ""},
		// syntax
		{"", 1, "empty", ""},
		{"  \n", 1, "empty", ""},
		{"amount >", 9, "ends too early", ""},
		{"amount = 5", 8, "write == to compare", ""},
		{"amount > 5)", 11, "unexpected", ""},
		{"(amount > 5", 12, "ends too early", ""},
		{"amount > 5 6", 12, "unexpected", ""},
		{"amount > @", 10, "unrecognized character", ""},
		{"'ö' @", 5, "unrecognized character", ""},
		{"amount == 'x", 13, "literal not terminated", ""},
		{"null_n ?? 1 + 2", 13, "needs parentheses", ""},
		{"5amount", 2, "bad number", ""},
		{"amount\n> @", 10, "unrecognized character", ""},
		{"\xff", 1, "UTF-8", ""},
		{"99999999999999999999", 20, "invalid integer literal: value out of range", ""},
		// limits
		{strings.Repeat("a", MaxSource+1), 1, "at most 8192", ""},
		{strings.Repeat("a+", 1500) + "a", 0, "more than 2000 parts", ""},
		{strings.Repeat("-", 200) + "1", 0, "nested more than 100", ""},
		{strings.Repeat("(1<", 30) + "1" + strings.Repeat("<2)", 30), 0, "more than 2000 parts", ""}, // 2^30 if walked
	}
	for _, c := range cases {
		_, err := fixture().compile(c.src)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s: error %v, want one with %q", c.src, err, c.msg)
			continue
		}
		if c.col != 0 && e.Column != c.col || !strings.Contains(e.Msg, c.msg) || e.Near != c.near {
			t.Errorf("%.40s: %v; want column %d, %q, nearest %q", c.src, e, c.col, c.msg, c.near)
		}
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	_, err := fixture().compile("amont > 5 and contry == 'x' or sqr(1) > 'a' + 1 and 1 < foo < 2")
	var cols []int
	for _, e := range All(err) {
		cols = append(cols, e.Column)
	}
	if want := []int{1, 15, 32, 41, 57}; !reflect.DeepEqual(cols, want) {
		t.Fatalf("columns %v, want %v: %v", cols, want, err)
	}
	if got := err.Error(); !strings.Contains(got, "column 1: unknown name amont; nearest: amount\n") {
		t.Fatal(got)
	}
	if All(errors.New("x")) != nil || All(nil) != nil {
		t.Fatal("foreign errors are not ours")
	}
}

func TestChainsAreNotNesting(t *testing.T) {
	for _, src := range []string{strings.Repeat("amount + ", 900) + "1", strings.Repeat("amount == 1 || ", 300) + "yes"} {
		if _, err := fixture().compile(src); err != nil {
			t.Errorf("%.30s...: %v", src, err)
		}
	}
	deep := strings.Repeat("(", 2000) + "amount" + strings.Repeat(")", 2000)
	if _, err := fixture().compile(deep); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	cases := []struct{ src, want string }{
		{"amount > 3 * card.mean_24h and amount < hour(ts) and user?.address.city in ['a']", "amount card.mean_24h ts user.address.city"},
		{"1 < b < a ? c : d ?? e", "b a c d e"},
		{`$env["odd"] + x["y"].z`, "odd x.y.z"},
		{"1 + 2", ""},
		{"max(z, y, len(s))", "z y s"},
	}
	for _, c := range cases {
		e, err := Parse(c.src)
		if err != nil {
			t.Fatal(c.src, err)
		}
		if got := strings.Join(e.Names(), " "); got != c.want {
			t.Errorf("%s: names %q, want %q", c.src, got, c.want)
		}
	}
}

func TestKindHints(t *testing.T) {
	cases := []struct {
		src  string
		want map[string]Kind
	}{
		{"amount > 3 * avg and country == 'DE'", map[string]Kind{"amount": Num, "avg": Num, "country": Str}},
		{"a == b and b == 'x'", map[string]Kind{"a": Str, "b": Str}},
		{"flag and x in ['a'] and y in [1]", map[string]Kind{"flag": Bool, "x": Str, "y": Num}},
		{"not f == true", map[string]Kind{"f": Bool}},
		{"g == true", map[string]Kind{"g": Bool}},
		{"(x ?? 0) + hour(t)", map[string]Kind{"x": Num, "t": Num}},
		{"(x ?? y) == 'a'", map[string]Kind{"x": Str, "y": Str}},
		{"c ? a : 'x'", map[string]Kind{"c": Bool, "a": Str}},
		{"if_null(a, 'x') startsWith p", map[string]Kind{"a": Str, "p": Str}},
		{"len(s) > n", map[string]Kind{"s": Str, "n": Num}},
		{"isnull(q) or w == nil", map[string]Kind{}},
		{"merchant", map[string]Kind{}},
		{"-m", map[string]Kind{"m": Num}},
	}
	for _, c := range cases {
		e, err := Parse(c.src)
		if err != nil {
			t.Fatal(c.src, err)
		}
		if got := e.KindHints(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: hints %v, want %v", c.src, got, c.want)
		}
	}
}

func TestSymbolAndSlots(t *testing.T) {
	p, err := fixture().compile("card.mean_24h")
	if s, ok := p.Symbol(); err != nil || !ok || s != (Symbol{Num, 1}) {
		t.Fatal(s, ok, err)
	}
	p, _ = fixture().compile("country == 'x' and zero > 1")
	if n, s := p.Slots(); n != 4 || s != 1 {
		t.Fatal(n, s)
	}
	if _, ok := p.Symbol(); ok {
		t.Fatal("not a bare name")
	}
}

func TestFunctionsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Functions() {
		if seen[f.Name] || f.Doc == "" || !strings.HasPrefix(f.Signature, f.Name+"(") {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
	}
	if len(seen) < 20 {
		t.Fatal(len(seen))
	}
}
