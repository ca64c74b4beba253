package integration

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// patient is for tests that interrupt things: silence is not taken for the end, so that every merge waits for all its upstreams.
const patient = "idle: 60s\nmax_wait: 10m\ncommit: 100ms"

// TestKilled kills the process five times with SIGKILL while 200,000 events run through. Afterwards every event has exactly one
// record on the features topic, with the values of the backfill.
func TestKilled(t *testing.T) {
	const n, kills = 200_000, 5
	w := newWorld(t, "fraud.yaml", 4, patient)
	o := simulated(n)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.produce(o, 20)
	}()
	defer func() { <-sent }()
	p := w.run()
	p.ready(2 * time.Minute)

	d := w.decoders()
	h := w.history(o)
	a := newAudit(t, h, map[string]string{"card": "card_id"})
	r := w.read(w.name+".features", func(r *kgo.Record) { rec, _ := d.native(r.Value); a.add(rec) })
	rng := rand.New(rand.NewPCG(3, 5))
	for k := range kills {
		r.until(p, max(r.n+1000, n*(2*k+1)/(2*kills+1)), 3*time.Minute)
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
		p.kill9()
		at := r.n
		p = w.run()
		p.ready(2 * time.Minute)
		v, _ := p.metric("freshet_stage_replayed_rows_total")
		t.Logf("killed with %d of %d features on the topic; folded again %v records", at, n, v)
	}
	<-sent
	w.seal(o)
	r.until(p, n, 5*time.Minute)
	w.awaitStore(p, d, a, o, 2*time.Minute)
	p.stop()
	r.toEnd()
	a.done()
}
