package streams

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freshet/learners/numeric"
)

// TestWatchOneFeature: any detector on one feature, by a field; the change is found in the segment where it is.
func TestWatchOneFeature(t *testing.T) {
	var src bytes.Buffer
	src.WriteString("id,ts,shop,channel,amount\n")
	r := numeric.NewRand(1)
	const n = 8000
	for i := range n {
		channel, amount := "a", 10*r.Float()
		if i%2 == 1 {
			if channel = "b"; i > n/2 {
				amount += 8
			}
		}
		fmt.Fprintf(&src, "%d,%d,s%d,%s,%v\n", i, 1700000000000+60000*i, i%5, channel, amount)
	}
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, src.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	topo := mustCompile(t, `
pipeline: w
streams:
  orders: {topic: orders, format: json, id: id, time: ts, keyed_by: shop}
  known: {of: orders, delay: 1m}
derived: {twice: amount * 2}
models: {m: {learner: linear, target: amount, labels: known, features: [twice], task: regression}}
drift:
  - {watch: feature(twice), detector: "robust(run=1e6)", by: channel}
  - {watch: feature(twice), detector: "distribution(distance=js,reference=500,window=500)", by: channel}
topics: {format: json}
`)
	out := &said{}
	res, err := Backfill(context.Background(), topo, BackfillOptions{Inputs: map[string]RowSource{"orders": openInput(t, topo, "orders", path)}, Predictions: out, Store: memoryStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	if res.Drifts < 2 || res.Drifts > 12 {
		t.Errorf("%d drifts, expected at least one a detector and few more", res.Drifts)
	}
	_, err = Parse("w.yaml", []byte(`
pipeline: w
streams: {orders: {topic: orders, format: json, id: id, time: ts, keyed_by: shop}, known: {of: orders, delay: 1m}}
derived: {twice: amount * 2}
models: {m: {learner: linear, target: amount, labels: known, features: [twice]}}
drift: [{watch: feature(twise), detector: adwin}]
`))
	if err == nil || !strings.Contains(err.Error(), `unknown feature "twise"`) || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v", err)
	}
}
