package kafka

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/schemas/avro"
	"freshet/schemas/events"
	"freshet/state"
)

// spoiled is a record that must become a dead letter.
type spoiled struct {
	name          string
	value         []byte
	reason, field string
	says          string // part of the detail: what was expected
}

// spoil makes a bad event out of a good one.
func spoil(f func(*tx)) tx {
	x := goodTx(0)
	x.id = text("bad")
	f(&x)
	return x
}

func bigBytes(n int) []byte { return bytes.Repeat([]byte("x"), n) }

// badTimes are wrong in either format.
var badTimes = []struct {
	name   string
	ts     int64
	reason string
	says   string
}{
	{"the year 2100", 4_102_444_800_000, "time_ahead", "max_ahead"},
	{"seconds taken for microseconds", badBase * 1000, "time_ahead", "max_ahead"},
	{"1981", 360_000_000_000, "time_past", "max_age"},
	{"before 1970", -62_135_596_800_000, "time_past", ""},
}

func badJSON() (out []spoiled) {
	with := func(name, reason, field, says string, f func(m map[string]string)) {
		m := map[string]string{"id": `"bad"`, "ts": fmt.Sprint(badBase), "card": `"c0"`, "shop": `"s0"`, "amount": "1"}
		f(m)
		var b strings.Builder
		for k, v := range m {
			fmt.Fprintf(&b, ",%q:%s", k, v)
		}
		out = append(out, spoiled{name, []byte("{" + b.String()[1:] + "}"), reason, field, says})
	}
	x := goodTx(0)
	whole := x.json()
	out = append(out,
		spoiled{"cut short", whole[:len(whole)/2], "truncated", "", ""},
		spoiled{"empty", []byte{}, "truncated", "", ""},
		spoiled{"null", nil, "truncated", "", ""},
		spoiled{"no JSON", []byte("\x00\x01\x02\xff\xfe"), "not_an_object", "", "{"},
		spoiled{"an array", []byte("[1,2]"), "not_an_object", "", "{"},
		spoiled{"two objects", append(bytes.Clone(whole), whole...), "trailing_bytes", "", ""},
		spoiled{"nested deeply", []byte(strings.Repeat(`{"x":`, 5000)), "too_deep", "", ""},
		spoiled{"10 MB of garbage", append([]byte(`{"id":"bad","x":`), bigBytes(10<<20)...), "bad_json", "", ""},
	)
	with("text for a number", "wrong_type", "amount", "expected a num", func(m map[string]string) { m["amount"] = `"much"` })
	with("an object for a number", "wrong_type", "amount", "expected a num", func(m map[string]string) { m["amount"] = `{"eur":1}` })
	with("an object for a key", "wrong_type", "card", "expected a str", func(m map[string]string) { m["card"] = `{}` })
	with("a number without bounds", "number_out_of_range", "amount", "1.8e308", func(m map[string]string) { m["amount"] = "1e999" })
	with("NaN is not JSON", "bad_json", "", "", func(m map[string]string) { m["amount"] = "NaN" })
	with("key null", "null_key", "card", "", func(m map[string]string) { m["card"] = "null" })
	with("key missing", "null_key", "card", "", func(m map[string]string) { delete(m, "card") })
	with("id null", "null_key", "id", "", func(m map[string]string) { m["id"] = "null" })
	with("id missing", "null_key", "id", "", func(m map[string]string) { delete(m, "id") })
	with("time missing", "null_time", "ts", "", func(m map[string]string) { delete(m, "ts") })
	with("no time", "not_a_time", "ts", "RFC 3339", func(m map[string]string) { m["ts"] = `"yesterday"` })
	with("a time beyond all bounds", "not_a_time", "ts", "", func(m map[string]string) { m["ts"] = "1e300" })
	with("an id of 100 kB", "too_long", "id", "4096", func(m map[string]string) { m["id"] = `"` + string(bigBytes(100_000)) + `"` })
	with("a key of 10 MB", "too_long", "card", "4096", func(m map[string]string) { m["card"] = `"` + string(bigBytes(10<<20)) + `"` })
	for _, c := range badTimes {
		with(c.name, c.reason, "ts", c.says, func(m map[string]string) { m["ts"] = fmt.Sprint(c.ts) })
	}
	return out
}

func badAvro() (out []spoiled) {
	with := func(name, reason, field, says string, f func(x *tx)) {
		x := spoil(f)
		out = append(out, spoiled{name, x.avro(1), reason, field, says})
	}
	x := goodTx(0)
	whole := x.avro(1)
	bits := bytes.Clone(whole)
	bits[5] = 9 // a branch that the union does not have
	out = append(out,
		spoiled{"cut short", whole[:12], "truncated", "ts", ""},
		spoiled{"cut in the header", whole[:3], "truncated", "", "schema id"},
		spoiled{"empty", []byte{}, "truncated", "", ""},
		spoiled{"null", nil, "truncated", "", ""},
		spoiled{"wrong magic byte", append([]byte{7}, whole[1:]...), "bad_magic", "", "expected 0x00"},
		spoiled{"JSON", x.json(), "bad_magic", "", "expected 0x00"},
		spoiled{"unknown schema id", x.avro(4711), "unknown_schema", "", "4711"},
		spoiled{"a schema without the fields", x.avro(3), "incompatible_schema", "", "schema id 3"},
		spoiled{"a branch that is none", bits, "bad_union", "id", ""},
		spoiled{"10 MB of garbage", append(avro.AppendConfluent(nil, 1), bytes.Repeat([]byte{0xff}, 10<<20)...), "bad_varint", "id", ""},
	)
	with("infinite", "number_out_of_range", "amount", "finite", func(x *tx) { x.amount = math.Inf(1) })
	with("minus infinite", "number_out_of_range", "amount", "finite", func(x *tx) { x.amount = math.Inf(-1) })
	with("key null", "null_key", "card", "", func(x *tx) { x.card = nil })
	with("id null", "null_key", "id", "", func(x *tx) { x.id = nil })
	with("the last time", "not_a_time", "ts", "out of range", func(x *tx) { x.ts = math.MaxInt64 })
	with("the first time", "not_a_time", "ts", "out of range", func(x *tx) { x.ts = math.MinInt64 })
	with("an id of 100 kB", "too_long", "id", "4096", func(x *tx) { x.id = text(string(bigBytes(100_000))) })
	with("a key of 10 MB", "too_long", "card", "4096", func(x *tx) { x.card = text(string(bigBytes(10 << 20))) })
	for _, c := range badTimes {
		with(c.name, c.reason, "ts", c.says, func(x *tx) { x.ts = c.ts })
	}
	return out
}

// TestBadRecords mixes every kind of bad record into good ones. Each is answered by one dead letter that says where it was, why, and what
// it held, to the byte; every good event comes out once, with the values of the good events alone.
func TestBadRecords(t *testing.T) {
	eachFormat(t, func(t *testing.T, r *rig) {
		bad := badJSON()
		if r.format == "avro" {
			bad = badAvro()
		}
		type place struct {
			part int32
			off  int64
		}
		recs := map[*kgo.Record]spoiled{}
		var all []*kgo.Record
		for i, b := range bad {
			all = append(all, r.send(10*i, 10*i+10)...)
			rec := r.record(goodTx(i), b.value)
			rec.Key = fmt.Appendf(nil, "key %d \xff", i)
			recs[rec] = b
			all = append(all, rec)
		}
		n := 10 * len(bad)
		all = append(all, r.send(n, n+20)...)
		// Good ones at the edge: 10 MB that the pipeline does not look at, and NaN, which is null.
		big := goodTx(n + 20)
		big.pad = bigBytes(10 << 20)
		r.good = append(r.good, big)
		all = append(all, r.record(big, r.value(&big)))
		if r.format == "avro" {
			nan := goodTx(n + 21)
			nan.amount = math.NaN()
			r.good = append(r.good, nan)
			all = append(all, r.record(nan, r.value(&nan)))
		}
		all = append(all, r.send(n+22, n+50)...)
		// Too late, and as large as a record may be.
		late := goodTx(0)
		late.id, late.pad = text("late"), bigBytes(10<<20)
		all = append(all, r.record(late, r.value(&late)))
		all = append(all, r.send(n+50, n+100)...)
		r.produce(all...)

		p := r.start(state.Options{}, nil)
		p.quiet()
		p.stop()
		r.compare()
		if v := r.values("p.late"); len(v) != 1 || len(v[0]) < 10<<20 {
			t.Errorf("%d late letters, expected 1 with all of its 10 MB", len(v))
		}
		got := map[place]events.DeadLetter{}
		for _, d := range r.letters() {
			at := place{d.Partition, d.Offset}
			if _, twice := got[at]; twice || d.Topic != "tx" {
				t.Errorf("dead letter of %s/%d offset %d: twice, or of another topic", d.Topic, d.Partition, d.Offset)
			}
			got[at] = d
		}
		if len(got) != len(recs) {
			t.Errorf("%d dead letters, expected %d", len(got), len(recs))
		}
		for rec, b := range recs {
			d, ok := got[place{rec.Partition, rec.Offset}]
			switch {
			case !ok:
				t.Errorf("%s: no dead letter of partition %d, offset %d", b.name, rec.Partition, rec.Offset)
			case d.Reason != b.reason || d.Field != b.field:
				t.Errorf("%s: reason %s, field %q (%.200s); expected %s, %q", b.name, d.Reason, d.Field, d.Detail, b.reason, b.field)
			case !strings.Contains(d.Detail, b.says):
				t.Errorf("%s: %.300s: expected it to say %q", b.name, d.Detail, b.says)
			case !sameBytes(r, d.Value, b.value) || !sameBytes(r, d.Key, rec.Key):
				t.Errorf("%s: the dead letter holds %d bytes, the record had %d, or they differ: %.60q", b.name, len(d.Value), len(b.value), d.Value)
			case d.TimeMs != badBase:
				t.Errorf("%s: time %d", b.name, d.TimeMs)
			}
		}
	})
}

// sameBytes compares what a dead letter holds; in JSON bytes that are no text are one code point each.
func sameBytes(r *rig, got, want []byte) bool {
	if r.format == "json" && !bytes.Equal(got, want) {
		var b []byte
		for _, c := range string(got) {
			b = append(b, byte(c))
		}
		got = b
	}
	return bytes.Equal(got, want)
}
