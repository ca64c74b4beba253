package integration

import (
	stdjson "encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestFraudPipeline is the demo's pipeline end to end: Avro and the registry in, Redis, topics and HTTP out, read by a consumer
// that knows nothing of freshet.
func TestFraudPipeline(t *testing.T) {
	const n = 50_000
	w := newWorld(t, "fraud.yaml", 4, patient)
	o := simulated(n)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.produce(o, 10) // not at once: models learn from labels on the way, and predict what comes after
		w.seal(o)
	}()
	defer func() { <-sent }()
	p := w.run()
	began := time.Now()
	p.ready(2 * time.Minute)
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))

	d := w.decoders()
	h := w.history(o)
	a := newAudit(t, h, map[string]string{"card": "card_id"})
	features := w.read(w.name+".features", func(r *kgo.Record) { rec, _ := d.native(r.Value); a.add(rec) })
	features.until(p, n, 3*time.Minute)
	t.Logf("%d features within %s of the start", n, time.Since(began).Round(100*time.Millisecond))
	w.awaitStore(p, d, a, o, time.Minute)
	features.toEnd()
	a.done()

	w.predictions(p, d, h)
	w.drift(p, d)
	w.http(p, a)

	took := p.stop()
	t.Logf("stopped %s after SIGTERM", took.Round(time.Millisecond))
	group, err := w.adm.DescribeGroups(w.ctx, w.name)
	if err != nil {
		t.Fatal(err)
	}
	if g := group[w.name]; g.Err != nil || len(g.Members) > 0 {
		t.Errorf("after the end the group is %s with %d members, %v", g.State, len(g.Members), g.Err)
	}
	lag := w.lag()
	if lag > 0 {
		t.Errorf("%d records were not committed at the end", lag)
	}

	// The second start finds its state level with what was committed.
	q := w.run()
	q.ready(2 * time.Minute)
	q.await("metrics", 20*time.Second, func() bool { _, ok := q.metric("freshet_stage_replayed_rows_total"); return ok })
	if v, _ := q.metric("freshet_stage_replayed_rows_total"); v != 0 || strings.Contains(q.logged(), "silent replay") {
		t.Errorf("a restart after a clean stop replayed %v records", v)
	}
	features.poll(2 * time.Second)
	features.toEnd()
	q.stop()
	a.done()
}

// lag is how many records of the pipeline's logs its group has not committed, control records left out by the seal.
func (w *world) lag() (records int64) {
	w.t.Helper()
	com, err := w.adm.FetchOffsets(w.ctx, w.name)
	if err != nil {
		w.t.Fatal(err)
	}
	topics := com.Partitions().Topics()
	ends, err := w.adm.ListCommittedOffsets(w.ctx, topics...)
	if err != nil {
		w.t.Fatal(err)
	}
	com.Each(func(o kadm.OffsetResponse) {
		if strings.Contains(o.Topic, ".src.") {
			if e, ok := ends.Lookup(o.Topic, o.Partition); ok {
				records += max(0, e.Offset-o.At)
			}
		}
	})
	return records
}

// predictions: one a model and event at most, for events that there are; each model answered.
func (w *world) predictions(p *process, d *decoders, h *history) {
	t := w.t
	seen := map[string]int{}
	by := map[string]int{}
	bad := 0
	r := w.read(w.name+".predictions", func(r *kgo.Record) {
		rec, _ := d.native(r.Value)
		id, model, source := rec["id"].(string), rec["model"].(string), rec["source"].(string)
		if strings.HasPrefix(id, "end-") {
			return
		}
		seen[id+"/"+model+"/"+source]++
		by[source+" "+model]++
		score := number(rec, "score")
		if _, ok := h.rows[id]; !ok || !(score >= 0 && score <= 1) || number(rec, "time") != float64(h.times[id]) {
			if bad++; bad <= 3 {
				t.Errorf("prediction %v", rec)
			}
		}
	})
	r.toEnd()
	twice := 0
	for _, n := range seen {
		if n > 1 {
			twice++
		}
	}
	t.Logf("predictions: %v", by)
	if bad+twice > 0 || by["model champion"] == 0 || by["model challenger"] == 0 {
		t.Errorf("%d predictions, %d wrong, %d more than once, by model %v: want some of champion and of challenger", len(seen), bad, twice, by)
	}
}

// drift: the pattern of fraud changes half way, and customers move online; that must be noticed.
func (w *world) drift(p *process, d *decoders) {
	t := w.t
	kinds := map[string]int{}
	ids := map[string]int{}
	r := w.read(w.name+".drift", func(r *kgo.Record) {
		rec, _ := d.native(r.Value)
		kinds[fmt.Sprint(rec["kind"], " ", rec["detector"], " ", rec["series"])]++
		ids[rec["id"].(string)]++
		if from, to := number(rec, "window_start"), number(rec, "window_end"); !(from <= to) || !(number(rec, "offset_from") <= number(rec, "offset_to")) || math.IsNaN(number(rec, "statistic")) {
			t.Errorf("drift event %v", rec)
		}
	})
	r.until(p, 1, time.Minute)
	r.toEnd()
	t.Logf("drift events: %v", kinds)
	for id, n := range ids {
		if n > 1 {
			t.Errorf("drift event %s is on the topic %d times", id, n)
		}
	}
}

// http asks for features, as of an entity's newest event, and for a score that must not be stored.
func (w *world) http(p *process, a *audit) {
	t := w.t
	t.Helper()
	keys := make([]string, 0, len(a.last["card"]))
	for k := range a.last["card"] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	wrong := 0
	for i := 0; i < len(keys); i += max(1, len(keys)/50) {
		last := a.last["card"][keys[i]]
		at := time.UnixMilli(int64(number(last, "time"))).UTC().Format("2006-01-02T15:04:05.000Z")
		code, text := p.get("/v1/features/card/" + url.PathEscape(keys[i]) + "?at=" + at)
		var got struct {
			Entity, Key, Source string
			Features            map[string]any
		}
		if err := stdjson.Unmarshal([]byte(text), &got); code != http.StatusOK || err != nil || got.Key != keys[i] || len(got.Features) == 0 {
			t.Fatalf("features of card %s: %d %s %v", keys[i], code, text, err)
		}
		for name := range got.Features {
			if v, want := number(got.Features, name), asOfLast(name, last); !same(v, want) {
				if wrong++; wrong <= 3 {
					t.Errorf("card %s over HTTP: %s is %v, its last record %v", keys[i], name, v, want)
				}
			}
		}
	}
	if code, text := p.get("/v1/features/card/nobody"); code != http.StatusNotFound {
		t.Errorf("an unknown card: %d %s", code, text)
	}
	if code, text := p.get("/v1/features/crad/" + keys[0]); code != http.StatusNotFound || !strings.Contains(text, `"nearest":"card"`) {
		t.Errorf("an unknown entity: %d %s", code, text)
	}
	last := a.last["card"][keys[0]]
	event := fmt.Sprintf(`{"tx_id":"try","ts":%d,"card_id":%q,"merchant_id":%q,"amount":12.5,"lat":48.1,"lon":11.5,"channel":"pos","country":"DE"}`,
		int64(number(last, "time"))+1000, keys[0], last["merchant_id"])
	var first string
	for range 2 { // twice the same: nothing was stored
		code, text := p.post("/v1/score", event)
		var got struct {
			Vector map[string]any
			Score  *float64
		}
		if err := stdjson.Unmarshal([]byte(text), &got); code != http.StatusOK || err != nil || got.Score == nil || number(got.Vector, "card_n_7d") < 1 {
			t.Fatalf("score: %d %s %v", code, text, err)
		}
		if first == "" {
			first = text
		} else if got := got.Vector; first != text {
			t.Errorf("scoring an event twice: first %s then %v", first, got)
		}
	}
	if code, text := p.post("/v1/score", `{"tx_id":"try"}`); code != http.StatusBadRequest {
		t.Errorf("an event without a time: %d %s", code, text)
	}
	p.await("metrics of all features", 20*time.Second, func() bool {
		v, ok := p.metric("freshet_produce_records_total")
		return ok && v >= float64(len(a.h.rows))
	})
}
