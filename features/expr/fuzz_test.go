package expr

import (
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzCompile: no source makes Parse, the walks, Compile or a program panic; every error has a column inside of it.
func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		"amount > 3*card.mean_24h && count_1h > 5", "x ?? 0 in [1, 2]", "a ? b : c", "if a > 1 { 'x' } else { s }", "filter(a, # > 1)", "let x = 1; x",
		"{a: 1}[b]?.c(d)", "1 < a < 2 < b", "a | clip(0, 1)", "not (s not in ['a'])", "min()", "::len(s)", "$env", "$env['x']", "a[1:2]", "a?.[1]",
		"map(a, .b)", "((((", "-!-a", "hour(ts) % 24 ** 2", "'\\u00f6'", "b'x'", "`raw`", "1..2", "a;b", "nil", "[nil][0]", "reduce(a, #acc + #)", "/* c */ a // d", "0x", "1e", "_", "if", "a?:b",
	} {
		f.Add(src)
	}
	r := fixture().num("a", 1).num("b", 2).flag("c", 1).str("s", []byte("x"))
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src)
		if err != nil {
			inside(t, src, err)
			return
		}
		e.Names()
		hints := e.KindHints()
		_ = e.String()
		for _, res := range []Resolver{r.resolve, func(name string) (Symbol, bool) { return Symbol{Kind: hints[name]}, true }} {
			p, err := e.Compile(res, r.names)
			if err != nil {
				inside(t, src, err)
				continue
			}
			if v := p.Num(&r.env); v-v != 0 && v == v {
				t.Fatalf("%q = %v", src, v)
			}
			p.Bool(&r.env)
			p.Str(&r.env)
		}
	})
}

// FuzzCall: no source makes ParseCall panic, and what it accepts has arguments.
func FuzzCall(f *testing.F) {
	for _, src := range []string{"count()", "sum(a * b)", "ewma(x, halflife='1h')", "f(a == 'x,)', [1], k=\"\\\"\")", "f(", "f(x))", "f(k=1, x)", "f(`'`)", "ö(ü)"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		call, err := ParseCall(src)
		if err != nil {
			inside(t, src, err)
			return
		}
		for _, a := range call.Args {
			if a == nil || a.String() == "" || a.Column() < 1 || a.Column() > utf8.RuneCountInString(src) {
				t.Fatalf("%q: argument %v", src, a)
			}
		}
	})
}

func inside(t *testing.T, src string, err error) {
	t.Helper()
	all := All(err)
	var e *Error
	if len(all) == 0 || !errors.As(err, &e) {
		t.Fatalf("%q: %T is not an *Error", src, err)
	}
	for _, e := range all {
		if e.Column < 1 || e.Column > utf8.RuneCountInString(src)+1 || e.Msg == "" {
			t.Fatalf("%q: column %d of %d: %s", src, e.Column, utf8.RuneCountInString(src), e.Msg)
		}
	}
}
