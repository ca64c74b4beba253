package events

import (
	"bytes"
	stdjson "encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"

	"freshet/schemas/avro"
)

// draw fills a record's fields with random values, at times those that mean null.
func draw(t *rapid.T, x any) {
	v := reflect.ValueOf(x).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch f.Kind() {
		case reflect.String:
			f.SetString(rapid.StringN(0, 6, 20).Draw(t, name))
		case reflect.Int32:
			f.SetInt(int64(rapid.Int32Range(-1, 1<<30).Draw(t, name)))
		case reflect.Int64:
			f.SetInt(rapid.Int64Range(-1<<40, 1<<42).Draw(t, name)) // goavro's times overflow beyond
			if strings.HasPrefix(name, "Reference") && rapid.Bool().Draw(t, "null") {
				f.SetInt(NullMs)
			}
		case reflect.Uint64:
			f.SetUint(rapid.Uint64Range(0, 1<<62).Draw(t, name))
			if rapid.Bool().Draw(t, "null") {
				f.SetUint(0)
			}
		case reflect.Uint8:
			f.SetUint(uint64(rapid.IntRange(0, 3).Draw(t, name)))
		case reflect.Float64:
			f.SetFloat(rapid.SampledFrom([]float64{0, 1.5, -2, math.MaxFloat64, 0.1}).Draw(t, name))
			if name == "Severity" && rapid.Bool().Draw(t, "null") {
				f.SetFloat(math.NaN())
			}
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.String {
				if n := rapid.SliceOfN(rapid.StringN(0, 3, 10), 0, 3).Draw(t, name); len(n) > 0 {
					f.Set(reflect.ValueOf(n))
				}
			} else if b := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, name); len(b) > 0 || name == "ID" || name == "Bytes" {
				f.SetBytes(append([]byte{}, b...))
			}
		default:
			t.Fatalf("field %s is a %s", name, f.Kind())
		}
	}
}

// same compares what Append wrote of x with its decoder and with goavro both ways.
func same[T any](t *testing.T, codec *goavro.Codec, decode func([]byte) (T, error)) {
	rapid.Check(t, func(t *rapid.T) {
		x := new(T)
		draw(t, x)
		r := any(x).(Record)
		payload := r.Append(nil)
		back, err := decode(payload)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(any(&back).(Record).Append(nil), payload) || !bytes.Equal(any(&back).(Record).AppendJSON(nil), r.AppendJSON(nil)) {
			t.Fatalf("%+v comes back as %+v", x, back)
		}
		native, rest, err := codec.NativeFromBinary(payload)
		if err != nil || len(rest) != 0 {
			t.Fatalf("goavro: %v, %d bytes left", err, len(rest))
		}
		again, err := codec.BinaryFromNative(nil, native)
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("goavro writes %x, we %x: %v", again, payload, err)
		}
		var m map[string]any
		if err := stdjson.Unmarshal(r.AppendJSON(nil), &m); err != nil {
			t.Fatalf("%s: %v", r.AppendJSON(nil), err)
		}
		record := native.(map[string]any)
		if len(m) != len(record) {
			t.Fatalf("JSON has %d members, Avro %d", len(m), len(record))
		}
		for k, v := range record {
			got, ok := m[k]
			if !ok || (got == nil) != (v == nil) {
				t.Fatalf("member %s is %v in JSON, %v in Avro", k, got, v)
			}
			if u, ok := v.(map[string]any); ok {
				for _, v = range u {
				}
			}
			switch v := v.(type) {
			case string:
				ok = got == string([]rune(v))
			case int64:
				ok = got == float64(v)
			case time.Time:
				ok = got == float64(v.UnixMilli())
			case float64:
				ok = got == v
			}
			if !ok {
				t.Fatalf("member %s is %v in JSON, %v in Avro", k, got, v)
			}
		}
		for cut := range payload {
			if _, err := decode(payload[:cut]); err == nil {
				t.Fatalf("%x cut at %d decodes", payload, cut)
			}
		}
	})
}

func TestRecords(t *testing.T) {
	codec := func(r Record) *goavro.Codec {
		c, err := goavro.NewCodec(r.Schema())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("DeadLetter", func(t *testing.T) { same(t, codec(&DeadLetter{}), DecodeDeadLetter) })
	t.Run("Late", func(t *testing.T) { same(t, codec(&Late{}), DecodeLate) })
	t.Run("Prediction", func(t *testing.T) { same(t, codec(&Prediction{}), DecodePrediction) })
	t.Run("Drift", func(t *testing.T) { same(t, codec(&Drift{}), DecodeDrift) })
	t.Run("Retrain", func(t *testing.T) { same(t, codec(&Retrain{}), DecodeRetrain) })
	t.Run("Model", func(t *testing.T) { same(t, codec(&Model{}), DecodeModel) })
}

func TestEveryFieldIsDocumented(t *testing.T) {
	names, err := files.ReadDir(".")
	if err != nil || len(names) != len(All()) {
		t.Fatalf("%d files for %d types: %v", len(names), len(All()), err)
	}
	for name, r := range All() {
		var s struct {
			Doc, Namespace string
			Fields         []struct {
				Name, Doc string
				Type      any
			}
		}
		if err := stdjson.Unmarshal([]byte(r.Schema()), &s); err != nil || s.Doc == "" || s.Namespace != "freshet" {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range s.Fields {
			u, _ := f.Type.([]any)
			if f.Doc == "" || u != nil && !strings.Contains(f.Doc, "null") {
				t.Errorf("%s.%s: the doc must say what it is, and when it is null", name, f.Name)
			}
		}
	}
}

func TestFeatures(t *testing.T) {
	f, err := NewFeatures("card-fraud", []FeatureColumn{{Name: "card_n_1h", Type: "long", Doc: "events in 1 h"}, {Name: "card.mean", Type: "double"},
		{Name: "card_id", Key: true}, {Name: "last_country", Type: "string"}, {Name: "card_last", Type: "timestamp"}, {Name: "merchant_id", Key: true}})
	if err != nil {
		t.Fatal(err)
	}
	codec, err := goavro.NewCodec(f.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := FeaturesSchema("card-fraud", []FeatureColumn{{Name: "1st", Type: "long"}}); err != nil || !strings.Contains(s, `"_1st"`) || !strings.Contains(s, `"freshet.card_fraud"`) {
		t.Error(s, err)
	}
	keys, x, s := [][]byte{[]byte("c1"), nil}, []float64{3, math.NaN(), 1.7e12}, [][]byte{[]byte("FR")}
	payload := f.Append(nil, []byte("e1"), 1700000000000, keys, x, s)
	native, rest, err := codec.NativeFromBinary(payload)
	if err != nil || len(rest) != 0 {
		t.Fatal(err, rest)
	}
	want := map[string]any{"id": "e1", "time": time.UnixMilli(1700000000000).UTC(), "card_id": goavro.Union("string", "c1"), "merchant_id": nil,
		"card_n_1h": goavro.Union("long", int64(3)), "card_mean": nil, "last_country": goavro.Union("string", "FR"),
		"card_last": goavro.Union("long.timestamp-millis", time.UnixMilli(1.7e12).UTC())}
	if !reflect.DeepEqual(native, want) {
		t.Errorf("goavro reads %v", native)
	}
	if again, err := codec.BinaryFromNative(nil, want); err != nil || !bytes.Equal(again, payload) {
		t.Errorf("goavro writes %x, we %x: %v", again, payload, err)
	}
	if out := string(f.AppendJSON(nil, []byte("e1"), 5, keys, x, s)); out != `{"id":"e1","time":5,"card_id":"c1","merchant_id":null,"card_n_1h":3,"card_mean":null,"last_country":"FR","card_last":1700000000000}` {
		t.Error(out)
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		buf = f.Append(buf[:0], keys[0], 5, keys, x, s)
		buf = f.AppendJSON(buf[:0], keys[0], 5, keys, x, s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_, err = NewFeatures("p", []FeatureColumn{{Name: "a-b", Type: "long"}, {Name: "a.b", Type: "long"}, {Name: "time", Type: "long"}, {Name: "z", Type: "int"}})
	for _, want := range []string{`column "a.b" would be the Avro field "a_b", which is already column "a-b"`, `already the event's time`, `type "int", expected long`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 4096)
	p := &Prediction{ID: []byte("x"), Model: "m", Class: -1, Fingerprint: 1 << 63}
	l := &Late{ID: []byte("x"), Value: []byte("v")}
	if n := testing.AllocsPerRun(100, func() {
		buf = p.AppendJSON(l.Append(p.Append(avro.AppendConfluent(buf[:0], 1))))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFeaturesAppend(b *testing.B) {
	var cols []FeatureColumn
	x := make([]float64, 30)
	for i := range x {
		cols = append(cols, FeatureColumn{Name: "f" + string(rune('a'+i)), Type: []string{"double", "long"}[i%2]})
		x[i] = float64(i) * 1000
	}
	for i := range cols {
		cols[i].Name = "f_" + strings.Repeat("x", i+1)
	}
	f, err := NewFeatures("p", cols)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 4096)
	id := []byte("0190f2a1")
	b.ReportAllocs()
	for b.Loop() {
		buf = f.Append(buf[:0], id, 1700000000000, nil, x, nil)
	}
}
