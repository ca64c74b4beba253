package streams

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"freshet/schemas"
	"freshet/schemas/json"
)

// TestKeys: the parts of a key come back from it, whatever is in them, and no two lists of parts make one key.
func TestKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(t, "parts")
		part := rapid.StringOf(rapid.RuneFrom([]rune{'a', '|', '\\', 'é'}))
		make1 := func(name string) ([][]byte, []byte) {
			env, slots := newEnv(0, n), make([]int, n)
			for i := range slots {
				slots[i], env.Str[i] = i, []byte(part.Draw(t, name))
			}
			key, ok := appendKey(nil, &env, slots)
			if !ok {
				t.Fatal("no key without a null part")
			}
			env2 := newEnv(0, n)
			if _, ok := appendKey(nil, &env2, slots); ok {
				t.Fatal("a key of null parts")
			}
			return env.Str, key
		}
		a, ka := make1("a")
		b, kb := make1("b")
		same := true
		for i, p := range splitKey(ka, n) {
			if !bytes.Equal(p, a[i]) {
				t.Fatalf("key %q splits into %q, made of %q", ka, splitKey(ka, n), a)
			}
			same = same && bytes.Equal(a[i], b[i])
		}
		if same != bytes.Equal(ka, kb) {
			t.Fatalf("%q and %q have the keys %q and %q", a, b, ka, kb)
		}
	})
}

// TestArena: what was emitted is never written to again, also where a value outgrows its chunk.
func TestArena(t *testing.T) {
	var a arena
	var kept, want [][]byte
	for i := range 2000 {
		n := []int{1, 100, 5000, arenaChunk + 10}[i%7%4]
		v := bytes.Repeat([]byte{byte(i)}, n)
		if i%3 == 0 {
			kept = append(kept, a.copy(v))
		} else {
			at := a.begin(n / 2)
			a.buf = append(a.buf, v[:n/2]...)
			a.buf = append(a.buf, v[n/2:]...)
			kept = append(kept, a.end(at))
		}
		want = append(want, v)
		if i%50 == 49 {
			for j := range kept {
				if !bytes.Equal(kept[j], want[j]) {
					t.Fatalf("value %d was changed", j)
				}
			}
			kept, want = kept[:0], want[:0]
		}
	}
}

// TestEdgeSaysOnlyNews: an edge speaks when it has rows, when its progress has grown or when it falls idle or wakes up, and not otherwise.
func TestEdgeSaysOnlyNews(t *testing.T) {
	topo := mustCompileTB(t, worldPipeline)
	e := topo.Stages[0].Edges[0]
	o := newEdgeOut(topo, e, &topo.Stages[e.To].Inputs[e.Input], "t", 2)
	env := newEnv(64, 16)
	var a arena
	said := ""
	flush := func(progress int64, idle bool) string {
		said = ""
		o.flush(0, 1, progress, idle, func(topic string, part int32, _, value []byte) {
			var s schemas.Segment
			if err := s.Decode(value, o.layout); err != nil {
				t.Fatal(err)
			}
			said += fmt.Sprintf("%s/%d kind %d progress %d rows %d;", topic, part, s.Kind, s.Progress, s.Rows.Len)
		}, &a)
		return said
	}
	for _, c := range []struct {
		rows     int
		progress int64
		idle     bool
		want     string
	}{
		{0, never, false, ""},
		{0, 5, false, "t/1 kind 0 progress 5 rows 0;"},
		{0, 5, false, ""},
		{2, 5, false, "t/1 kind 0 progress 5 rows 2;"},
		{0, 7, true, "t/1 kind 1 progress 7 rows 0;"},
		{0, 7, true, ""},
		{0, 7, false, "t/1 kind 0 progress 7 rows 0;"},
		{1, 8, true, "t/1 kind 1 progress 8 rows 1;"},
	} {
		for range c.rows {
			o.add(1, &env, 1, c.progress, c.progress)
		}
		if got := flush(c.progress, c.idle); got != c.want {
			t.Errorf("%+v: said %q", c, got)
		}
	}
	o.add(1, &env, 9, 9, 9)
	o.forget()
	if got := flush(8, false); got != "t/1 kind 0 progress 8 rows 0;" {
		t.Errorf("after a rollback: said %q", got)
	}
}

const allocPipeline = `
pipeline: a
streams:
  transactions: {topic: transactions, format: json, id: tx_id, time: ts, keyed_by: card_id}
entities:
  card: {key: card_id}
  merchant: {key: merchant_id}
features:
  card:
    - {from: transactions, over: [1h, 24h], compute: {n: count(), spend: sum(amount), max: max(amount)}}
  merchant:
    - {from: transactions, over: [1h, 24h], compute: {n: count(), spend: sum(amount)}}
topics: {format: json}
`

// TestFoldAllocations counts what a Fold allocates in its steady state: an ingest with its entity, and a merged entity that publishes
// features. What is left is the memory of what is emitted, carved out of chunks of 256 KiB that must not be used twice.
func TestFoldAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("SKIPPED: the race detector allocates")
	}
	topo := mustCompileTB(t, allocPipeline)
	const rows, rounds = 500, 40
	store := memoryStore(t)
	format := Format{JSON: true}
	var err error
	if format.Features, err = NewFeatures(topo); err != nil {
		t.Fatal(err)
	}
	rt := &Runtime{Topo: topo, Store: store, Parts: []int{1, 1}, Format: format, Board: NewBoard(topo), Names: Topics{}.Resolve("a"), Decoder: func(s int) (schemas.Decoder, error) {
		return json.New(topo.Streams[s].Wire, json.Options{TimeCol: topo.Streams[s].TimeCol()})
	}}
	rt.defaults()
	var segments []Record
	bytesOut := 0
	count := func(_ string, _ int32, _, value []byte) { bytesOut += len(value) }
	collect := func(topic string, _ int32, _, value []byte) {
		segments = append(segments, Record{Offset: int64(len(segments)), Value: value})
	}
	emit := Emit(collect)
	ingest, err := OpenTask(rt, 0, 0, 0, -1, &StageStats{}, func(topic string, part int32, key, value []byte) { emit(topic, part, key, value) })
	if err != nil {
		t.Fatal(err)
	}
	merchant, err := OpenTask(rt, 1, 0, 0, -1, &StageStats{}, count)
	if err != nil {
		t.Fatal(err)
	}
	// All rounds' records are made beforehand; the first rounds are the warm-up.
	at, offset := int64(1_700_000_000_000), int64(0)
	batches := make([][]Record, 3*rounds)
	for i := range batches {
		for j := range rows {
			at += 40_000
			v := fmt.Sprintf(`{"tx_id":"t%07d","ts":%d,"card_id":"c%d","merchant_id":"m%d","amount":%d.5}`, offset, at, j%50, j%20, j)
			batches[i] = append(batches[i], Record{Offset: offset, Value: []byte(v)})
			offset++
		}
	}
	next := 0
	fold := func() {
		if err := ingest.Fold(batches[next]); err != nil {
			t.Fatal(err)
		}
		next++
		ingest.Publish(0)
	}
	for range 2 * rounds {
		fold()
	}
	emit = count
	bytesOut = 0
	perFold := testing.AllocsPerRun(rounds-2, fold)
	chunks := float64(bytesOut) / float64(rounds-1) / arenaChunk
	t.Logf("ingest and entity: %.1f allocations a Fold of %d rows, %.0f bytes a row emitted; %.1f of them are chunks of output", perFold, rows, float64(bytesOut)/float64((rounds-1)*rows), chunks)
	if perFold > math.Ceil(chunks)+2 {
		t.Errorf("%.1f allocations a Fold, expected no more than the chunks and 2", perFold)
	}
	seg := 0
	merged := func() {
		if err := merchant.Fold(segments[seg : seg+1]); err != nil {
			t.Fatal(err)
		}
		seg++
	}
	for range rounds {
		merged()
	}
	bytesOut = 0
	perFold = testing.AllocsPerRun(rounds-2, merged)
	chunks = float64(bytesOut) / float64(rounds-1) / arenaChunk
	t.Logf("merged entity with features: %.1f allocations a Fold of %d rows, %.0f bytes a row emitted; %.1f of them are chunks of output", perFold, rows, float64(bytesOut)/float64((rounds-1)*rows), chunks)
	if perFold > math.Ceil(chunks)+2 {
		t.Errorf("%.1f allocations a Fold, expected no more than the chunks and 2", perFold)
	}
}
