package json

import (
	stdjson "encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"freshet/schemas"
)

var wanted = []schemas.Column{
	{Name: "id", Kind: schemas.Str},
	{Name: "amount", Kind: schemas.Num},
	{Name: "card.country", Kind: schemas.Str},
	{Name: "card.lat", Kind: schemas.Num},
	{Name: "ts", Kind: schemas.Time},
	{Name: "id", Kind: schemas.Num},
}

func program(t testing.TB, cols []schemas.Column, o Options) (*Program, *schemas.Batch) {
	t.Helper()
	l := schemas.NewLayout(cols)
	p, err := New(l, o)
	if err != nil {
		t.Fatal(err)
	}
	return p, schemas.NewBatch(l, 16)
}

func TestDecode(t *testing.T) {
	p, b := program(t, wanted[:5], Options{TimeCol: 4, NumericStrings: true})
	cases := []struct {
		in, id, country string
		amount, lat, ts float64
		reason          string
	}{
		{in: `{"id":"a","amount":1.5,"card":{"country":"FR","lat":-2e3},"ts":7}`, id: "a", country: "FR", amount: 1.5, lat: -2000, ts: 7},
		{in: ` { "ts" : "2018-04-01T00:00:31Z" , "id" : 123456789012345678901234567890 } `, id: "123456789012345678901234567890", amount: math.NaN(), lat: math.NaN(), ts: 1522540831000},
		{in: `{"id":true,"amount":true,"ts":1.5}`, id: "true", amount: 1, lat: math.NaN(), ts: 1},
		{in: `{"id":"x","id":"a\u00e9\n\ud83d\ude00\"","ts":1,"amount":"12"}`, id: "aé\n😀\"", amount: 12, lat: math.NaN(), ts: 1},
		{in: `{"\u0069d":"esc","ts":1}`, id: "esc", amount: math.NaN(), lat: math.NaN(), ts: 1},
		{in: `{"card":{"country":"FR"},"card":{"lat":1},"ts":1}`, amount: math.NaN(), lat: 1, ts: 1},
		{in: `{"card":null,"x":[1,{"a":["]"]},"\""],"ts":1}`, amount: math.NaN(), lat: math.NaN(), ts: 1},
		{in: `{"ts":null}`, reason: "null_time"},
		{in: `{}`, reason: "null_time"},
		{in: ``, reason: "truncated"},
		{in: `[1]`, reason: "not_an_object"},
		{in: `{"ts":1} x`, reason: "trailing_bytes"},
		{in: `{"amount":1e999,"ts":1}`, reason: "number_out_of_range"},
		{in: `{"amount":"abc","ts":1}`, reason: "wrong_type"},
		{in: `{"amount":{},"ts":1}`, reason: "wrong_type"},
		{in: `{"card":5,"ts":1}`, reason: "wrong_type"},
		{in: `{"ts":"yesterday"}`, reason: "not_a_time"},
		{in: `{"ts":true}`, reason: "wrong_type"},
		{in: `{"ts":9223372036854775807}`, reason: "not_a_time"},
		{in: `{"ts":01}`, reason: "bad_json"},
		{in: `{"x":[1},"ts":1}`, reason: "bad_json"},
		{in: `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,"ts":1}`, reason: "too_deep"},
		{in: `{"ts":1,}`, reason: "bad_json"},
		{in: "{\"id\":\"a\x01\",\"ts\":1}", reason: "bad_json"},
	}
	for _, c := range cases {
		b.Reset()
		err := p.Decode(b, b.AppendRow(0), []byte(c.in))
		if c.reason != "" {
			if po, ok := err.(*schemas.Poison); !ok || po.Reason != c.reason {
				t.Errorf("%s: %v, expected %s", c.in, err, c.reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if string(b.Str[0][0]) != c.id || string(b.Str[1][0]) != c.country || !same(b.Num[0][0], c.amount) ||
			!same(b.Num[1][0], c.lat) || b.Num[2][0] != c.ts || b.Time[0] != int64(c.ts) {
			t.Errorf("%s: got %q %q %v %v %v", c.in, b.Str[0][0], b.Str[1][0], b.Num[0][0], b.Num[1][0], b.Num[2][0])
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestTruncatedIsPoison(t *testing.T) {
	p, b := program(t, wanted, Options{TimeCol: -1})
	in := `{"x":{"y":[1,2,"\""]},"id":"12\u0041","amount":-1.5e3,"card":{"country":null,"lat":true},"ts":5}`
	in = strings.Replace(in, `"12\u0041"`, `12`, 1)
	for i := range in {
		b.Reset()
		if err := p.Decode(b, b.AppendRow(0), []byte(in[:i])); err == nil {
			t.Errorf("%q decodes", in[:i])
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		cols []schemas.Column
		time int
	}{{[]schemas.Column{{Name: "a..b", Kind: schemas.Num}}, -1}, {wanted, 0}, {wanted, 99}} {
		if _, err := New(schemas.NewLayout(c.cols), Options{TimeCol: c.time}); err == nil {
			t.Errorf("%v, %d: no error", c.cols, c.time)
		}
	}
}

// event is the 386-byte event of the design's measurements.
const event = `{"tx_id":"0190f2a1-7c3e-7d4e-9b1a-2f6e5c8d9a10","ts":1733000000123,"card_id":"card-0004711","merchant_id":"m-00231",` +
	`"amount":129.95,"currency":"EUR","channel":"ecommerce","geo":{"country":"FR","lat":48.8566,"lon":2.3522},"device":{"os":"ios","version":"17.2",` +
	`"ids":["a1b2c3","d4e5f6"]},"items":[{"sku":"s-1","q":1},{"sku":"s-2","q":3}],"note":"thank you \"very\" much","mcc":5411,"pin":false}`

var eventCols = []schemas.Column{{Name: "tx_id", Kind: schemas.Str, Required: true}, {Name: "ts", Kind: schemas.Time, Required: true},
	{Name: "card_id", Kind: schemas.Str, Required: true}, {Name: "amount", Kind: schemas.Num}, {Name: "geo.country", Kind: schemas.Str}}

func TestNoAllocations(t *testing.T) {
	for _, own := range []bool{false, true} {
		p, b := program(t, append([]schemas.Column{{Name: "note", Kind: schemas.Str}}, eventCols...), Options{TimeCol: 2, CopyStrings: own})
		in := []byte(event)
		step := func() {
			b.Reset()
			for i := range 16 {
				if err := p.Decode(b, b.AppendRow(int64(i)), in); err != nil {
					t.Fatal(err)
				}
			}
		}
		step()
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("own=%v: %v allocations", own, n)
		}
		if string(b.Str[0][3]) != `thank you "very" much` {
			t.Errorf("note is %q", b.Str[0][3])
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte(`{"id":"\ud800x","amount":1,"card":{"country":"a","lat":2},"ts":3}`))
	f.Add([]byte("{\"id\":\"\xff\",\"amount\":-0.0e-1}"))
	f.Add([]byte(`{"card":{"lat":1},"card":null,"id":12,"id":"x"}`))
	p, b := program(f, wanted[:5], Options{TimeCol: -1, MaxDepth: 512})
	f.Fuzz(func(t *testing.T, in []byte) {
		b.Reset()
		err := p.Decode(b, b.AppendRow(0), in)
		dec := stdjson.NewDecoder(strings.NewReader(string(in)))
		dec.UseNumber()
		var m map[string]any
		if !stdjson.Valid(in) || dec.Decode(&m) != nil || m == nil {
			return // what std refuses we may accept only in skipped parts
		}
		if err != nil {
			// Std has no types to be wrong about; it must be one of ours, not a syntax error.
			switch r := err.(*schemas.Poison).Reason; r {
			case "wrong_type", "not_a_time", "number_out_of_range", "too_deep":
				return
			default:
				t.Fatalf("std accepts %q, we say %v", in, err)
			}
		}
		card, _ := m["card"].(map[string]any)
		checkStr(t, in, b.Str[0][0], m["id"])
		checkStr(t, in, b.Str[1][0], card["country"])
		checkNum(t, in, b.Num[0][0], m["amount"])
		checkNum(t, in, b.Num[1][0], card["lat"])
	})
}

func checkStr(t *testing.T, in, got []byte, want any) {
	t.Helper()
	text := ""
	switch w := want.(type) {
	case nil:
		if got != nil {
			t.Fatalf("%q: got %q, std null", in, got)
		}
		return
	case string:
		text = w
	case stdjson.Number:
		text = string(w)
	case bool:
		text = strconv.FormatBool(w)
	default:
		t.Fatalf("%q: std has %T", in, want)
	}
	if got == nil || string(got) != text {
		t.Fatalf("%q: got %q, std %q", in, got, text)
	}
}

func checkNum(t *testing.T, in []byte, got float64, want any) {
	t.Helper()
	w := math.NaN()
	switch v := want.(type) {
	case stdjson.Number:
		w, _ = strconv.ParseFloat(string(v), 64)
	case bool:
		w = 0
		if v {
			w = 1
		}
	}
	if math.Float64bits(got) != math.Float64bits(w) && !(math.IsNaN(got) && math.IsNaN(w)) {
		t.Fatalf("%q: got %v, std %v", in, got, w)
	}
}

func FuzzParseFloat(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.", ".5", "+1.25", "9007199254740993", "1e23", "123456789012345678901", "0.30000000000000004",
		"85.64999999999999", "1_0", "0x1p-2", "nan", "-Inf", "", "-", ".", "1.2.3", "179769313486231570000000000000000000000e270"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, ok := ParseFloat(in)
		w, err := strconv.ParseFloat(string(in), 64)
		if ok != (err == nil) || ok && math.Float64bits(v) != math.Float64bits(w) {
			t.Fatalf("%q: got %v %v, strconv %v %v", in, v, ok, w, err)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2018-04-01T00:00:31Z", "2018-04-01 00:00:31", "2018-04-01", "2024-02-29T23:59:59.123456789-12:34", "1900-02-29",
		"0000-01-01T00:00:00Z", "2018-04-01T24:00:00Z", "9999-12-31T23:59:59.999Z"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		ms, ok := ParseTime(in)
		if w, err := time.Parse(time.RFC3339Nano, string(in)); err == nil {
			if !ok || ms != w.UnixMilli() {
				// Package time takes a comma and one-digit hours; those are not RFC 3339.
				if strings.Contains(string(in), ",") || len(in) < 20 || in[13] != ':' {
					return
				}
				t.Fatalf("%q: got %d %v, time %d", in, ms, ok, w.UnixMilli())
			}
		} else if ok {
			for _, layout := range []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00"} {
				if w, err := time.Parse(layout, strings.ToUpper(string(in))); err == nil && w.UnixMilli() == ms {
					return
				}
			}
			if w, err := time.Parse(time.RFC3339Nano, strings.ToUpper(string(in))); err == nil && w.UnixMilli() == ms {
				return
			}
			t.Fatalf("%q is no time, got %d", in, ms)
		}
	})
}

func TestAppend(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -17, 1.5, 1e15, 123456789012345680, 1e21, 1e-6, 1e-7, 0.1 + 0.2, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		out := AppendFloat(nil, v)
		w, err := strconv.ParseFloat(string(out), 64)
		if err != nil || math.Float64bits(w) != math.Float64bits(v) || !IsNumber(out) {
			t.Errorf("%v is written %s", v, out)
		}
	}
	if s := string(AppendFloat(AppendFloat(nil, math.NaN()), math.Inf(1))); s != "nullnull" {
		t.Error(s)
	}
	for _, s := range []string{"", "a\"\\\n\r\t\x00\x1f é😀", "\xff\xfe", "\u2028"} {
		var back string
		if err := stdjson.Unmarshal(AppendString(nil, s), &back); err != nil || back != strings.ToValidUTF8(strings.ReplaceAll(s, "\xff\xfe", "\ufffd\ufffd"), "\ufffd") {
			t.Errorf("%q: %q %v", s, back, err)
		}
		if string(AppendString(nil, s)) != string(AppendString(nil, []byte(s))) {
			t.Errorf("%q: string and bytes differ", s)
		}
	}
	if s := string(AppendTime(nil, 1522540831500)); s != "2018-04-01T00:00:31.5Z" {
		t.Error(s)
	}
	if n := Nearest("amuont", []string{"id", "amount", "ts"}); n != "amount" {
		t.Error(n)
	}
}

func TestTimeOf(t *testing.T) {
	for _, c := range []struct {
		u  schemas.TimeUnit
		s  string
		ms int64
		ok bool
	}{{schemas.Seconds, "1357035420", 1357035420000, true}, {schemas.Seconds, "1.5", 1500, true}, {schemas.Millis, "-1.5", -2, true},
		{schemas.Nanos, "-1", -1, true}, {0, "2018-04-01", 1522540800000, true}, {0, "NaN", 0, false}, {schemas.Seconds, "99999999999999999", 0, false}} {
		if ms, ok := TimeOf(c.u, []byte(c.s)); ok != c.ok || ok && ms != c.ms {
			t.Errorf("%s: %d %v", c.s, ms, ok)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	p, batch := program(b, eventCols, Options{TimeCol: 1})
	in := []byte(event)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if batch.Len == 1024 {
			batch.Reset()
		}
		if err := p.Decode(batch, batch.AppendRow(0), in); err != nil {
			b.Fatal(err)
		}
	}
}
