package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"freshet/features"
	"freshet/schemas/avro"
	"freshet/streams"
	"freshet/streams/online"
)

// TestHashFormat: a value that the engine hands to the sink lies in the store as readable fields, and reads back.
func TestHashFormat(t *testing.T) {
	for _, format := range []string{"avro", "json"} {
		topo, _ := pieces(t, "id,ts,card,amount\n", `{"id":"x","at":1}`+"\n")
		topo.Pipeline.Topics.Format = format
		f, err := streams.NewFeatures(topo)
		if err != nil {
			t.Fatal(err)
		}
		value := f.Append(avro.AppendConfluent(nil, 3), nil, 1500, [][]byte{[]byte("c1")}, []float64{2, nan}, nil)
		if format == "json" {
			value = f.AppendJSON(nil, nil, 1500, [][]byte{[]byte("c1")}, []float64{2, nan}, nil)
		}
		fields, err := fieldsOf(topo, "card", value, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range fields {
			got[f.Name] = f.Text
		}
		if want := "map[_time:1500 card:c1 card_n_1h:2]"; fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", format, got, want)
		}
		var v streams.View
		v.Names, v.LastMs = entities(topo)[0].Names, features.NoEvent
		if err := viewOfFields(&v, fields); err != nil || v.LastMs != 1500 || v.Values[0] != 2 || v.Values[1] == v.Values[1] {
			t.Errorf("%s: read back %+v, %v", format, v, err)
		}

		st, err := online.Open("embedded", online.Options{Pipeline: "small"})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		a := app{err: &buffer{}}
		s := newSink(topo, st, online.Packed, a.logger(8), func(error) {})
		if err := s.Put(ctx, "card", []byte("c1"), [16]byte{1}, value, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		r := &storedReader{topo: topo, store: st}
		if v, err = r.Features(ctx, "card", "c1", -1); err != nil || v.LastMs != 1500 || v.Values[0] != 2 {
			t.Errorf("%s, packed: %+v, %v", format, v, err)
		}
		if _, err = r.Features(ctx, "card", "c2", -1); err == nil {
			t.Error("an unknown key was found")
		}
		if err := s.w.Close(ctx); err != nil {
			t.Fatal(err)
		}
		_ = st.Close()
	}
}
