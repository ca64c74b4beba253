package expr

import (
	"testing"

	lang "github.com/expr-lang/expr"
)

// hot are the expressions of the pipeline files, and one of each kind of closure.
var hot = []string{
	"amount > 3*avg_24h && count_1h > 5",
	"amount / avg_24h",
	"amount * rate + 1",
	"country in ['DE', 'FR'] and amount > 100",
	"country in ['a','b','c','d','e','f','g','h','i','DE']",
	"country == 'DE' ? amount : amount * rate",
	"(avg_24h ?? 0) + clip(log1p(amount), 0, 5)",
	"hour(ts) in [0, 1, 2, 3] or is_weekend(ts)",
	"month(ts) * 31 + day(ts)",
	"haversine_km(lat, lon, 52.5, 13.4)",
	"count_1h % 24",
	"len(country) == 2 and country startsWith 'D'",
	"min(amount, avg_24h, 5) ** 2",
	"(country ?? 'x') != 'DE'",
}

func hotRow() *row {
	return newRow().num("amount", 120).num("avg_24h", 30).num("count_1h", 7).num("rate", 1.1).num("ts", 1.7e12).
		num("lat", 50).num("lon", 7).str("country", []byte("DE"))
}

func TestProgramsDoNotAllocate(t *testing.T) {
	r := hotRow()
	for _, src := range hot {
		p, err := r.compile(src)
		if err != nil {
			t.Fatal(src, err)
		}
		if n := testing.AllocsPerRun(100, func() { p.Num(&r.env); p.Bool(&r.env); p.Str(&r.env) }); n != 0 {
			t.Errorf("%s allocates %v times", src, n)
		}
	}
	p, err := r.compile("amount > 1 ? country : 'x'")
	if n := testing.AllocsPerRun(100, func() { p.Str(&r.env) }); err != nil || n != 0 {
		t.Error(n, err)
	}
}

func BenchmarkProgram(b *testing.B) {
	r := hotRow()
	for _, src := range hot {
		p, err := r.compile(src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(src, func(b *testing.B) {
			b.ReportAllocs()
			var hits int
			if p.Kind() == Bool {
				for i := 0; i < b.N; i++ {
					if p.Bool(&r.env) {
						hits++
					}
				}
				return
			}
			for i := 0; i < b.N; i++ {
				if p.Num(&r.env) > 1 {
					hits++
				}
			}
		})
	}
}

// BenchmarkLibrary is the same rule on the library's machine, with a map and with a struct.
func BenchmarkLibrary(b *testing.B) {
	type fields struct {
		Amount float64 `expr:"amount"`
		Avg    float64 `expr:"avg_24h"`
		Count  float64 `expr:"count_1h"`
	}
	for name, env := range map[string]any{
		"map":    map[string]any{"amount": 120.0, "avg_24h": 30.0, "count_1h": 7.0},
		"struct": fields{120, 30, 7},
	} {
		p, err := lang.Compile(hot[0], lang.Env(env))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				if _, err := lang.Run(p, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	r := hotRow()
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if _, err := r.compile(hot[0]); err != nil {
			b.Fatal(err)
		}
	}
}
