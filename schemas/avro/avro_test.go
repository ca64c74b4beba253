package avro

import (
	"encoding/binary"
	stdjson "encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	tavro "github.com/twmb/avro"
	"pgregory.net/rapid"

	"freshet/schemas"
)

func record(fields string) string {
	return `{"type":"record","name":"R","namespace":"n","fields":[` + fields + `]}`
}

func compile(t testing.TB, writer string, o Options, cols ...schemas.Column) (*Program, *schemas.Batch) {
	t.Helper()
	l := schemas.NewLayout(cols)
	p, err := Compile(writer, l, o)
	if err != nil {
		t.Fatal(err)
	}
	return p, schemas.NewBatch(l, 4)
}

func one(t testing.TB, p *Program, b *schemas.Batch, payload []byte) error {
	t.Helper()
	b.Reset()
	return p.Decode(b, b.AppendRow(0), payload)
}

func reason(err error) string {
	if p, ok := err.(*schemas.Poison); ok {
		return p.Reason
	}
	return "no poison"
}

func TestTimes(t *testing.T) {
	const ms = 1522540831123
	long := func(v int64) []byte { return AppendLong(nil, v) }
	cases := []struct {
		typ     string
		unit    schemas.TimeUnit
		payload []byte
		want    float64
		reason  string
	}{
		{`{"type":"long","logicalType":"timestamp-millis"}`, schemas.Seconds, long(ms), ms, ""},
		{`{"type":"long","logicalType":"timestamp-micros"}`, 0, long(ms*1000 + 999), ms, ""},
		{`{"type":"long","logicalType":"timestamp-nanos"}`, 0, long(-1), -1, ""},
		{`{"type":"long","logicalType":"local-timestamp-micros"}`, 0, long(ms * 1000), ms, ""},
		{`{"type":"int","logicalType":"date"}`, 0, long(17622), 17622 * 86400000, ""},
		{`"long"`, schemas.Seconds, long(1522540831), 1522540831000, ""},
		{`"int"`, schemas.Seconds, long(5), 5000, ""},
		{`"long"`, 0, long(math.MaxInt64), 0, "not_a_time"},
		{`"double"`, schemas.Seconds, AppendDouble(nil, 1.5), 1500, ""},
		{`"double"`, 0, AppendDouble(nil, math.NaN()), 0, "not_a_time"},
		{`"float"`, 0, AppendFloat(nil, float32(math.Inf(1))), 0, "not_a_time"},
		{`"string"`, 0, AppendString(nil, "2018-04-01T00:00:31.123Z"), ms, ""},
		{`"string"`, 0, AppendString(nil, "2018-04-01 00:00:31"), 1522540831000, ""},
		{`"string"`, 0, AppendString(nil, "2018-04-01"), 1522540800000, ""},
		{`"string"`, 0, AppendString(nil, "soon"), 0, "not_a_time"},
		{`["null","long"]`, 0, []byte{0}, 0, "null_time"},
		{`["long","null"]`, 0, []byte{2}, 0, "null_time"},
		{`["long","null"]`, 0, []byte{0, 4}, 2, ""},
		{`["null","long","string"]`, 0, append([]byte{4}, AppendString(nil, "2018-04-01")...), 1522540800000, ""},
		{`["null","long","string"]`, 0, []byte{0}, 0, "null_time"},
	}
	for _, c := range cases {
		p, b := compile(t, record(`{"name":"ts","type":`+c.typ+`}`), Options{TimeCol: 0}, schemas.Column{Name: "ts", Kind: schemas.Time, Unit: c.unit})
		err := one(t, p, b, c.payload)
		if c.reason != "" {
			if reason(err) != c.reason {
				t.Errorf("%s %x: %v, expected %s", c.typ, c.payload, err, c.reason)
			}
		} else if err != nil || b.Num[0][0] != c.want || b.Time[0] != int64(c.want) {
			t.Errorf("%s %x: %v %v %d, expected %v", c.typ, c.payload, err, b.Num[0][0], b.Time[0], c.want)
		}
	}
}

func TestDecimalAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 0, maxDecimal).Draw(t, "raw")
		scale := rapid.IntRange(0, 40).Draw(t, "scale")
		p := &Program{names: []string{"d"}}
		b := schemas.NewBatch(schemas.NewLayout([]schemas.Column{{Kind: schemas.Num}, {Kind: schemas.Str}}), 1)
		b.AppendRow(0)
		if err := p.decimal(&op{code: opDecimalNum, n: int32(scale)}, b, 0, raw, 0); err != nil {
			t.Fatal(err)
		}
		if err := p.decimal(&op{code: opDecimalStr, n: int32(scale)}, b, 0, raw, 0); err != nil {
			t.Fatal(err)
		}
		v := new(big.Int).SetBytes(raw)
		if len(raw) > 0 && raw[0] >= 0x80 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		}
		rat := new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
		if want, _ := rat.Float64(); b.Num[0][0] != want {
			t.Fatalf("%x scale %d: %v, big %v", raw, scale, b.Num[0][0], want)
		}
		if want := rat.FloatString(scale); string(b.Str[0][0]) != want {
			t.Fatalf("%x scale %d: %s, big %s", raw, scale, b.Str[0][0], want)
		}
	})
}

func TestLogicalAndRequired(t *testing.T) {
	schema := record(`{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}]},
		{"name":"u","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},{"name":"key","type":["null","long"]}`)
	p, b := compile(t, schema, Options{TimeCol: -1}, schemas.Column{Name: "price", Kind: schemas.Num}, schemas.Column{Name: "price", Kind: schemas.Str},
		schemas.Column{Name: "u", Kind: schemas.Str}, schemas.Column{Name: "key", Kind: schemas.Str, Required: true}, schemas.Column{Name: "key", Kind: schemas.Num})
	payload := append(AppendBytes([]byte{2}, []byte{0xcf, 0xc7}), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
	good := AppendNullableLong(payload, -42, true)
	if err := one(t, p, b, append(good, "trailing"...)); err != nil {
		t.Fatal(err)
	}
	if b.Num[0][0] != -123.45 || string(b.Str[0][0]) != "-123.45" || string(b.Str[1][0]) != "00010203-0405-0607-0809-0a0b0c0d0e0f" ||
		string(b.Str[2][0]) != "-42" || b.Num[1][0] != -42 {
		t.Errorf("%v %s", b.Num, b.Str)
	}
	if err := one(t, p, b, AppendNull(payload[:len(payload):len(payload)])); reason(err) != "null_key" || err.(*schemas.Poison).Field != "key" {
		t.Error(err)
	}
}

func TestCompileErrors(t *testing.T) {
	schema := record(`{"name":"amount","type":"double"},{"name":"id","type":["null","string"]},{"name":"card","type":{"type":"record","name":"C","fields":[{"name":"country","type":"string"}]}},
		{"name":"tags","type":{"type":"array","items":"string"}},{"name":"tod","type":{"type":"int","logicalType":"time-millis"}}`)
	cases := []struct {
		col  schemas.Column
		want string
	}{
		{schemas.Column{Name: "id", Kind: schemas.Num}, "field id is a string in the schema, the pipeline uses it as a number"},
		{schemas.Column{Name: "amount", Kind: schemas.Str}, "field amount is a double in the schema, the pipeline uses it as a string"},
		{schemas.Column{Name: "amuont", Kind: schemas.Num, Required: true}, `field amuont is required, the writer's schema does not have it, the nearest is "amount"`},
		{schemas.Column{Name: "card", Kind: schemas.Str}, "field card is a record in the schema, the pipeline uses it as a string: name one of its members"},
		{schemas.Column{Name: "id.x", Kind: schemas.Str}, "field id.x"},
		{schemas.Column{Name: "tags", Kind: schemas.Str}, "field tags is an array"},
		{schemas.Column{Name: "tod", Kind: schemas.Time}, "field tod is an int (time-millis)"},
	}
	for _, c := range cases {
		_, err := Compile(schema, schemas.NewLayout([]schemas.Column{c.col}), Options{TimeCol: -1})
		if c.col.Name == "id.x" {
			c.want = "field id is a string in the schema, it has no member x"
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.col, err)
		}
	}
	both := schemas.NewLayout([]schemas.Column{cases[0].col, cases[1].col})
	if _, err := Compile(schema, both, Options{TimeCol: -1}); err == nil || strings.Count(err.Error(), "avro: field") != 2 {
		t.Errorf("not all mistakes at once: %v", err)
	}
	for _, bad := range []string{"", "{", `"string"`, `{"type":"record","name":"R"}`, record(`{"name":"a","type":"X"}`), record(`{"name":"a","type":["int",["int"]]}`),
		record(`{"name":"a","type":{"type":"fixed","name":"F","size":-1}}`), strings.Repeat(`{"type":"array","items":`, 200) + `"int"` + strings.Repeat("}", 200)} {
		if _, err := Compile(bad, schemas.NewLayout(nil), Options{TimeCol: -1}); err == nil {
			t.Errorf("%.60s compiles", bad)
		}
	}
}

// TestEvolution compares with twmb/avro, which resolves a writer's and a reader's schema.
func TestEvolution(t *testing.T) {
	writer := `{"type":"record","name":"R","fields":[{"name":"old_id","type":"string"},{"name":"gone","type":{"type":"map","values":"long"}},{"name":"n","type":"int"},
		{"name":"f","type":"long"},{"name":"kind","type":{"type":"enum","name":"K","symbols":["a","b","c"]}},{"name":"u","type":["null","int"]},
		{"name":"sub","type":{"type":"record","name":"S","fields":[{"name":"x","type":"float"}]}}]}`
	reader := `{"type":"record","name":"R","fields":[{"name":"id","type":"bytes","aliases":["old_id"]},{"name":"n","type":"double"},{"name":"f","type":"float"},
		{"name":"kind","type":{"type":"enum","name":"K","symbols":["a","b","other"],"default":"other"}},
		{"name":"u","type":["null","long","double"],"default":null},
		{"name":"sub","type":{"type":"record","name":"S","fields":[{"name":"y","type":"string","default":"dflt"},{"name":"x","type":"double"}]}},
		{"name":"added","type":"double","default":2.5},{"name":"flag","type":["boolean","null"],"default":true},
		{"name":"rec","type":{"type":"record","name":"D","fields":[{"name":"a","type":"long","default":7},{"name":"b","type":["null","string"],"default":null}]},"default":{"a":8}},
		{"name":"raw","type":"bytes","default":"\u00ff\u0001"}]}`
	cols := []schemas.Column{{Name: "id", Kind: schemas.Str}, {Name: "n", Kind: schemas.Num}, {Name: "f", Kind: schemas.Num}, {Name: "kind", Kind: schemas.Str},
		{Name: "u", Kind: schemas.Num}, {Name: "sub.y", Kind: schemas.Str}, {Name: "sub.x", Kind: schemas.Num}, {Name: "added", Kind: schemas.Num},
		{Name: "flag", Kind: schemas.Num}, {Name: "rec.a", Kind: schemas.Num}, {Name: "rec.b", Kind: schemas.Str}, {Name: "raw", Kind: schemas.Str}}
	p, b := compile(t, writer, Options{TimeCol: -1, Reader: reader}, cols...)
	ws, rs := tavro.MustParse(writer), tavro.MustParse(reader)
	resolved, err := tavro.Resolve(ws, rs)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		rec := map[string]any{"old_id": rapid.StringN(0, 5, 20).Draw(t, "id"), "gone": map[string]any{"k": int64(1)}, "n": rapid.Int32().Draw(t, "n"),
			"f": rapid.Int64().Draw(t, "f"), "kind": rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "kind"), "u": nil, "sub": map[string]any{"x": rapid.Float32().Draw(t, "x")}}
		if rapid.Bool().Draw(t, "some") {
			rec["u"] = rapid.Int32().Draw(t, "u")
		}
		payload, err := ws.AppendEncode(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if _, err := resolved.Decode(payload, &v); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		if err := p.Decode(b, b.AppendRow(0), payload); err != nil {
			t.Fatal(err)
		}
		for i, c := range cols {
			w := v
			for _, seg := range strings.Split(c.Name, ".") {
				w = w.(map[string]any)[seg]
			}
			want := convert(w, nil, c.Kind)
			if c.Kind == schemas.Str && string(b.Str[b.Layout.Slot[i]][0]) != string(want.str) {
				t.Fatalf("%s is %q, twmb %q", c.Name, b.Str[b.Layout.Slot[i]][0], want.str)
			}
			if got := b.Num; c.Kind == schemas.Num && got[b.Layout.Slot[i]][0] != want.num && !math.IsNaN(want.num) {
				t.Fatalf("%s is %v, twmb %v", c.Name, got[b.Layout.Slot[i]][0], want.num)
			}
		}
	})
	if _, err := Compile(writer, schemas.NewLayout([]schemas.Column{{Name: "nn", Kind: schemas.Num}}), Options{TimeCol: -1, Reader: reader}); err == nil || !strings.Contains(err.Error(), `the nearest is "n"`) {
		t.Error(err)
	}
	narrowed := strings.Replace(reader, `"name":"f","type":"float"`, `"name":"f","type":"int"`, 1)
	if _, err := Compile(writer, schemas.NewLayout(cols[2:3]), Options{TimeCol: -1, Reader: narrowed}); err == nil || !strings.Contains(err.Error(), "cannot be read as an int") {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	refs := map[string]string{"n.C": `{"type":"record","name":"C","namespace":"n","fields":[{"name":"country","type":"string"}]}`}
	p, b := compile(t, record(`{"name":"c","type":"C"}`), Options{TimeCol: -1, Refs: refs}, schemas.Column{Name: "c.country", Kind: schemas.Str})
	if err := one(t, p, b, AppendString(nil, "FR")); err != nil || string(b.Str[0][0]) != "FR" {
		t.Error(err)
	}
	refs = map[string]string{"common.avsc": refs["n.C"]}
	compile(t, record(`{"name":"c","type":"C"}`), Options{TimeCol: -1, Refs: refs}, schemas.Column{Name: "c.country", Kind: schemas.Str})
}

func TestHostile(t *testing.T) {
	schema := record(`{"name":"nulls","type":{"type":"array","items":"null"}},{"name":"a","type":{"type":"array","items":{"type":"array","items":{"type":"array","items":"null"}}}},
		{"name":"r","type":["null","R"]},{"name":"s","type":"string"},{"name":"x","type":"long"}`)
	p, b := compile(t, schema, Options{TimeCol: -1, MaxBytes: 1000}, schemas.Column{Name: "x", Kind: schemas.Num})
	huge := binary.AppendUvarint(nil, 1<<40)
	deep := []byte{}
	for range 100 {
		deep = append(deep, 0, 0, 2)
	}
	cases := []struct {
		payload []byte
		want    string
	}{
		{huge, "too_many_items"},
		{AppendLong(nil, math.MinInt64), "truncated"},
		{append(AppendLong(nil, math.MinInt64), 0), "too_many_items"},
		{append(AppendLong(nil, -5), AppendLong(nil, -1)...), "bad_length"},
		{append(AppendLong(nil, -5), AppendLong(nil, 99)...), "truncated"},
		{deep, "too_deep"},
		{append([]byte{0, 0, 0}, huge...), "truncated"},
		{append([]byte{0, 0, 0}, 1), "bad_length"},
		{[]byte{0, 0, 9}, "bad_union"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "bad_varint"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, "bad_varint"},
		{nil, "truncated"},
		{make([]byte, 1001), "too_large"},
	}
	for _, c := range cases {
		if err := one(t, p, b, c.payload); reason(err) != c.want {
			t.Errorf("%x: %v, expected %s", c.payload, err, c.want)
		}
	}
	// A schema of a few lines whose expansion has 2^40 fields.
	var s strings.Builder
	s.WriteString(`{"name":"r0","type":{"type":"record","name":"R0","fields":[{"name":"l","type":"long"}]}}`)
	for i := 1; i < 40; i++ {
		prev := "R" + string(rune('0'+(i-1)/10)) + string(rune('0'+(i-1)%10))
		if i == 1 {
			prev = "R0"
		}
		name := string(rune('0'+i/10)) + string(rune('0'+i%10))
		s.WriteString(`,{"name":"r` + name + `","type":{"type":"record","name":"R` + name + `","fields":[{"name":"a","type":"` + prev + `"},{"name":"b","type":"` + prev + `"}]}}`)
	}
	big, bb := compile(t, record(s.String()+`,{"name":"x","type":"long"}`), Options{TimeCol: -1}, schemas.Column{Name: "x", Kind: schemas.Num})
	if err := one(t, big, bb, make([]byte, 100)); reason(err) != "truncated" {
		t.Error(err)
	}
}

const paymentSchema = `{"type":"record","name":"Payment","fields":[{"name":"tx_id","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"card_id","type":"string"},{"name":"merchant_id","type":"string"},{"name":"amount","type":"double"},{"name":"currency","type":"string"},
 {"name":"channel","type":{"type":"enum","name":"Ch","symbols":["pos","ecommerce"]}},{"name":"lat","type":["null","double"],"default":null},
 {"name":"lon","type":["null","double"],"default":null},{"name":"device","type":["null","string"],"default":null},{"name":"mcc","type":"int"},{"name":"pin","type":"boolean"}]}`

var paymentNative = map[string]any{"tx_id": "0190f2a1-7c3e-7d4e-9b1a-2f6e5c8d9a10", "ts": int64(1733000000123), "card_id": "card-0004711", "merchant_id": "m-00231", "amount": 129.95,
	"currency": "EUR", "channel": "ecommerce", "lat": goavro.Union("double", 48.85), "lon": goavro.Union("double", 2.35), "device": nil, "mcc": int32(5411), "pin": true}

func payment(t testing.TB) ([]byte, *goavro.Codec) {
	codec, err := goavro.NewCodec(strings.Replace(paymentSchema, `{"type":"long","logicalType":"timestamp-millis"}`, `"long"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := codec.BinaryFromNative(nil, paymentNative)
	if err != nil {
		t.Fatal(err)
	}
	return payload, codec
}

var paymentCols = []schemas.Column{{Name: "tx_id", Kind: schemas.Str, Required: true}, {Name: "ts", Kind: schemas.Time, Required: true}, {Name: "card_id", Kind: schemas.Str, Required: true},
	{Name: "amount", Kind: schemas.Num}, {Name: "channel", Kind: schemas.Str}, {Name: "lat", Kind: schemas.Num}, {Name: "lon", Kind: schemas.Num}, {Name: "device", Kind: schemas.Str},
	{Name: "mcc", Kind: schemas.Str}, {Name: "mcc", Kind: schemas.Num}, {Name: "pin", Kind: schemas.Num}, {Name: "merchant_id", Kind: schemas.Str}}

func TestNoAllocations(t *testing.T) {
	payload, _ := payment(t)
	p, b := compile(t, paymentSchema, Options{TimeCol: 1}, paymentCols...)
	step := func() {
		b.Reset()
		for i := range 16 {
			if err := p.Decode(b, b.AppendRow(int64(i)), payload); err != nil {
				t.Fatal(err)
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if b.Time[3] != 1733000000123 || string(b.Str[2][3]) != "ecommerce" || string(b.Str[4][3]) != "5411" || b.Num[1][3] != 129.95 {
		t.Errorf("%v %q", b.Num, b.Str)
	}
}

func TestGenericJSON(t *testing.T) {
	payload, _ := payment(t)
	c, err := Generic(paymentSchema)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.JSON(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := stdjson.Unmarshal(out, &m); err != nil || m["lat"] != 48.85 || m["device"] != nil || m["channel"] != "ecommerce" {
		t.Errorf("%s: %v", out, err)
	}
	for cut := range payload {
		if _, err := c.JSON(nil, payload[:cut]); err == nil {
			t.Errorf("cut at %d decodes", cut)
		}
	}
	nulls, err := Generic(`{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"array","items":"null"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nulls.JSON(nil, append(binary.AppendUvarint(nil, 2*33_000_000), 0)); reason(err) != "too_many_items" {
		t.Error(err)
	}
}

func TestReader(t *testing.T) {
	buf := AppendLong(nil, -3)
	buf = AppendString(buf, "é")
	buf = AppendDouble(buf, 1.5)
	buf = AppendNullableBytes(AppendNullableBytes(buf, nil), []byte{})
	buf = AppendNullableDouble(AppendNullableDouble(buf, math.NaN()), 2)
	buf = AppendNullableString(AppendNullableString(buf, ""), "x")
	buf = AppendNullableLong(AppendNullableLong(buf, 5, false), 5, true)
	buf = append(AppendString(AppendString(AppendLong(buf, 2), "a"), "b"), 0)
	read := func(payload []byte) (ok bool, err error) {
		r := NewReader(payload)
		ok = r.Long() == -3 && r.String() == "é" && r.Double() == 1.5 && r.NullableBytes() == nil
		e := r.NullableBytes()
		ok = ok && e != nil && len(e) == 0 && math.IsNaN(r.NullableDouble()) && r.NullableDouble() == 2 && r.NullableString() == "" && r.NullableString() == "x" &&
			r.NullableLong(-1) == -1 && r.NullableLong(-1) == 5
		all := ""
		r.Blocks(2, func() { all += r.String() })
		return ok && all == "ab" && len(r.Rest()) == 0, r.Err()
	}
	if ok, err := read(buf); !ok || err != nil {
		t.Error(ok, err)
	}
	for cut := range buf {
		if ok, err := read(buf[:cut]); ok && err == nil {
			t.Errorf("cut at %d reads", cut)
		}
	}
	if id, rec, ok := ConfluentID(append(AppendConfluent(nil, 1<<31+7), 9)); id != 1<<31+7 || len(rec) != 1 || !ok {
		t.Error(id, rec, ok)
	}
}

func BenchmarkDecode(b *testing.B) {
	payload, codec := payment(b)
	bench := func(name string, cols []schemas.Column) {
		b.Run(name, func(b *testing.B) {
			p, batch := compile(b, paymentSchema, Options{TimeCol: 1}, cols...)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if batch.Len == 1024 {
					batch.Reset()
				}
				if err := p.Decode(batch, batch.AppendRow(0), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("12 columns", paymentCols)
	bench("4 columns", paymentCols[:4])
	b.Run("goavro", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := codec.NativeFromBinary(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}
