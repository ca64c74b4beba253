package streams

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"freshet/features/expr"
	"freshet/schemas"

	"github.com/google/go-cmp/cmp"
)

func mustCompile(t *testing.T, src string) *Topology {
	t.Helper()
	p, err := Parse("testdata/good/p.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	top, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func shipped(t *testing.T, name string) *Topology {
	t.Helper()
	p, err := Load("../deploy/pipelines/" + name)
	if err != nil {
		t.Fatal(err)
	}
	top, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// sketch writes a topology's stages and edges with every column, for goldens that a reader can check.
func sketch(top *Topology) string {
	var b strings.Builder
	for _, s := range top.Stages {
		fmt.Fprintf(&b, "%d %s", s.Index, s.Name)
		if s.Entity != nil {
			fmt.Fprintf(&b, " entity=%s", s.Entity.Name)
		}
		if s.Final {
			b.WriteString(" final")
		}
		b.WriteByte('\n')
		for i, in := range s.Inputs {
			fmt.Fprintf(&b, "  in %d: %s from %s kind %d rank %d label %t:", i, top.Streams[in.Stream].Name, top.Stages[in.From].Name, in.EdgeKind, in.Rank, in.Label)
			for _, c := range in.Wire.Cols {
				fmt.Fprintf(&b, " %s/%s", c.Name, c.Kind)
			}
			b.WriteByte('\n')
		}
		for _, e := range s.Edges {
			row := top.Streams[top.Stages[e.To].Inputs[e.Input].Stream].Row
			fmt.Fprintf(&b, "  to %s.%d kind %d by", top.Stages[e.To].Name, e.Input, e.Kind)
			for _, sl := range e.Key {
				for i, c := range row.Cols {
					if c.Kind == schemas.Str && row.Slot[i] == sl {
						b.WriteString(" " + c.Name)
					}
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestShipped holds the plans and the wiring of every shipped pipeline.
func TestShipped(t *testing.T) {
	files, _ := filepath.Glob("../deploy/pipelines/*.yaml")
	for _, f := range files {
		top := shipped(t, filepath.Base(f))
		wellFormed(t, top)
		var b strings.Builder
		if err := top.Describe().WriteText(&b); err != nil {
			t.Fatal(err)
		}
		name := "testdata/good/" + strings.TrimSuffix(filepath.Base(f), ".yaml")
		golden(t, name+".plan.txt", b.String())
		golden(t, name+".stages.txt", sketch(top))
	}
}

// wellFormed checks what every topology promises its tasks.
func wellFormed(t *testing.T, top *Topology) {
	t.Helper()
	finals, names := 0, map[string]bool{}
	for i, s := range top.Stages {
		if s.Index != i || names[s.Name] {
			t.Errorf("stage %d has index %d, name %s", i, s.Index, s.Name)
		}
		names[s.Name] = true
		if s.Final {
			finals++
		}
		if s.Kind == IngestStage != (len(s.Inputs) == 0) {
			t.Errorf("stage %s has %d inputs", s.Name, len(s.Inputs))
		}
		ranks := map[int]bool{}
		for j, in := range s.Inputs {
			if in.From >= i {
				t.Errorf("stage %s hears from %s, which is not before it", s.Name, top.Stages[in.From].Name)
			}
			if ranks[in.Rank] || in.Rank >= len(s.Inputs) {
				t.Errorf("stage %s input %d has rank %d", s.Name, j, in.Rank)
			}
			ranks[in.Rank] = true
			if in.Stream == top.Events && !in.Label && in.Rank != len(s.Inputs)-1 {
				t.Errorf("stage %s: the events are not last", s.Name)
			}
			row := top.Streams[in.Stream].Row
			for k, c := range in.Cols {
				if k > 0 && in.Cols[k-1] >= c {
					t.Errorf("stage %s input %d: columns %v are not ascending", s.Name, j, in.Cols)
				}
				if in.Wire.Cols[k] != row.Cols[c] {
					t.Errorf("stage %s input %d: wire column %v is not %v", s.Name, j, in.Wire.Cols[k], row.Cols[c])
				}
			}
			if id := top.Streams[in.Stream].IDCol; (in.Label || in.Stream == top.Events) && in.Wire.Find(row.Cols[id].Name, schemas.Str) < 0 {
				t.Errorf("stage %s input %d: no id", s.Name, j)
			}
			edges := 0
			for _, e := range top.Stages[in.From].Edges {
				if e.To == i && e.Input == j {
					edges++
					if e.Kind != in.EdgeKind {
						t.Errorf("stage %s input %d: kind %d, edge %d", s.Name, j, in.EdgeKind, e.Kind)
					}
					for _, sl := range e.Key {
						if sl < 0 || sl >= row.Strs {
							t.Errorf("stage %s input %d: key slot %d", s.Name, j, sl)
						}
					}
				}
			}
			if edges != 1 {
				t.Errorf("stage %s input %d has %d edges", s.Name, j, edges)
			}
		}
	}
	if finals != 1 {
		t.Errorf("%d final stages", finals)
	}
	for _, s := range top.Streams {
		if s.Kind == SourceStream {
			for i, c := range s.Wire.Cols {
				if s.Row.Cols[i] != c || s.Row.Slot[i] != s.Wire.Slot[i] {
					t.Errorf("stream %s: wire is no prefix of the row at %d", s.Name, i)
				}
			}
		}
	}
}

// TestReads walks every program with an Env that is as small as the row: a wrong slot would be out of range.
func TestReads(t *testing.T) {
	for _, name := range []string{"fraud.yaml", "handbook.yaml", "flights.yaml", "taxi.yaml"} {
		top := shipped(t, name)
		env := func(stream int) *expr.Env {
			row := top.Streams[stream].Row
			e := &expr.Env{Num: make([]float64, row.Nums), Str: make([][]byte, row.Strs)}
			for i := range e.Num {
				e.Num[i] = math.NaN()
			}
			return e
		}
		ev := env(top.Events)
		for _, d := range top.Derived {
			d.Prog.Num(ev)
		}
		for _, r := range top.Rules {
			r.When.Bool(ev)
		}
		for _, m := range top.Models {
			if y := m.Target.Num(env(m.Labels)); y == y {
				t.Errorf("%s: target of an empty label is %v", m.Name, y)
			}
		}
		for _, s := range top.Stages {
			if s.Entity == nil {
				continue
			}
			for _, es := range s.Entity.Streams {
				e := env(es.Stream)
				for i := range es.Inputs {
					es.Inputs[i].word(e)
				}
			}
		}
	}
}

func TestFused(t *testing.T) {
	const streams = `pipeline: p
streams:
  tx: {id: i, time: t, keyed_by: %s}
  other: {id: i, time: t}
  known: {of: tx, delay: 1d}
entities: {e: {key: %s}}
features:
  e: [{from: tx, over: [1h], compute: {n: count()}}, {from: %s, over: [1h], compute: {m: count()}}]
`
	for _, c := range []struct {
		keyedBy, key, from string
		fused              bool
	}{
		{"k", "k", "tx", true},
		{"k", "k", "known", true},
		{"k", "k", "other", false},
		{"k", "j", "tx", false},
		{"k", "[k, j]", "tx", false},
	} {
		top := mustCompile(t, fmt.Sprintf(streams, c.keyedBy, c.key, c.from))
		wellFormed(t, top)
		if got := top.Stages[0].Entity != nil; got != c.fused {
			t.Errorf("%+v: fused %t", c, got)
		}
		if last := top.Stages[len(top.Stages)-1]; !last.Final || last.Entity == nil {
			t.Errorf("%+v: last stage is %+v", c, last)
		}
	}
}

func TestNoEntities(t *testing.T) {
	top := mustCompile(t, "pipeline: p\nstreams: {tx: {id: i, time: t}}\nderived: {night: hour(t) <= 5, b: night and a > 3}\n")
	wellFormed(t, top)
	if len(top.Stages) != 1 || !top.Stages[0].Final || len(top.Stages[0].Edges) != 0 {
		t.Errorf("stages: %s", sketch(top))
	}
	if cmp.Diff([]string{"night", "b"}, []string{top.Derived[0].Name, top.Derived[1].Name}) != "" || !(top.Derived[1].Prog.Kind() == expr.Bool) {
		t.Errorf("derived: %+v", top.Derived)
	}
}

// TestDerivedOrder: the order of computing is that of need, the order of columns that of the file.
func TestDerivedOrder(t *testing.T) {
	top := mustCompile(t, "pipeline: p\nstreams: {tx: {id: i, time: t}}\nderived: {a: b + 1, b: c + 1, c: amount}\n")
	var computed, cols []string
	for _, d := range top.Derived {
		computed = append(computed, d.Name)
	}
	for _, f := range top.FeatureCols {
		cols = append(cols, f.Name)
	}
	if strings.Join(computed, "") != "cba" || strings.Join(cols, "") != "abc" {
		t.Errorf("computed %v, columns %v", computed, cols)
	}
	env := &expr.Env{Num: make([]float64, top.Streams[0].Row.Nums), Str: make([][]byte, 9)}
	row := top.Streams[0].Row
	env.Num[row.Slot[row.Find("amount", schemas.Num)]] = 40
	for _, d := range top.Derived {
		env.Num[d.Out] = d.Prog.Num(env)
	}
	if v := env.Num[row.Slot[row.Find("a", schemas.Num)]]; v != 42 {
		t.Errorf("a = %v", v)
	}
}

// TestKinds: what a field is decoded as follows from how it is used.
func TestKinds(t *testing.T) {
	top := mustCompile(t, `
pipeline: p
streams:
  tx: {id: i, time: t, time_unit: s, keyed_by: k}
  known: {of: tx, at: paid_at, where: status == "paid"}
entities: {e: {key: k}}
features:
  e:
    - {from: tx, over: [1h], where: "channel in ['ecom'] and online", compute: {n: count(), s: sum(amount), d: distinct(shop), dk: distinct(amount * 2), c: count(city), km: max(k)}}
    - {from: tx, over: [1h], compute: {n2: count(), ch: count(channel)}}
derived:
  wait: paid_at - t
  local: hour(made_at)
  same: home == city
models:
  m: {learner: logistic, target: fraud, labels: known, features: [e.n_1h, k, weekday, colour, amount], nominal: [weekday]}
drift: [{watch: error(m), detector: adwin, by: region}]
`)
	wellFormed(t, top)
	got := map[string]string{}
	for _, c := range top.Streams[0].Wire.Cols {
		got[c.Name] += c.Kind.String()
		if c.Kind == schemas.Time && c.Unit != schemas.Seconds {
			t.Errorf("%s has unit %v", c.Name, c.Unit)
		}
		if c.Required != (c.Name == "i" || c.Name == "t" || c.Name == "k" && c.Kind == schemas.Str) {
			t.Errorf("%s/%s: required %t", c.Name, c.Kind, c.Required)
		}
	}
	want := map[string]string{"i": "string", "t": "time", "k": "stringnumber", "paid_at": "time", "status": "string", "channel": "string", "online": "number",
		"amount": "number", "shop": "string", "city": "number", "home": "number", "made_at": "time", "fraud": "number", "weekday": "string", "colour": "number", "region": "string"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	e := top.Stages[0].Entity
	in := e.Streams[0].Inputs
	// count, sum, distinct(shop), distinct(amount*2), count(city), max(k), count(channel); count() without a filter has no word.
	if len(in) != 7 || !in[0].One || in[0].Where == nil || in[2].StrSl < 0 || !in[2].Hash || in[3].StrSl >= 0 || !in[3].Hash || in[6].StrSl < 0 || in[6].Where != nil {
		t.Errorf("inputs: %+v", in)
	}
	// k is a key, but max(k) calculates with it: a number.
	if m := top.Models[0]; cmp.Diff([]int{2}, m.Nominal) != "" {
		t.Errorf("nominal: %v of %v", m.Nominal, m.Cols)
	}
	if k := top.Streams[1]; k.AtSl < 0 || k.Where == nil || k.AheadMs != 7*24*3600*1000 {
		t.Errorf("later: %+v", k)
	}
}

// TestJoinSides: where the columns of a joined row come from.
func TestJoinSides(t *testing.T) {
	top := mustCompile(t, `
pipeline: p
streams:
  tx: {id: i, time: t, keyed_by: k}
  cb: {id: j, time: reported}
  lab: {join: tx, with: cb, on: i, within: 3d, otherwise: {fraud: 0, why: none}}
entities: {e: {key: k}, shop: {key: shop_id}}
features:
  e: [{from: tx, over: [1h], compute: {s: sum(amount)}}]
  shop: [{from: lab, over: [1d], where: why != "test", compute: {risk: mean(fraud), lost: sum(amount), back: sum(cb.refund)}}]
models:
  m: {learner: linear, target: fraud * loss}
`)
	wellFormed(t, top)
	join := top.Stages[2]
	p := join.Join
	row := top.Streams[2].Row
	name := func(l *schemas.Layout, kind schemas.Kind, slot int) string {
		for i, c := range l.Cols {
			if (c.Kind == schemas.Str) == (kind == schemas.Str) && l.Slot[i] == slot {
				return c.Name
			}
		}
		return "?"
	}
	pairs := func(ms []ColMap, from *schemas.Layout) string {
		var out []string
		for _, m := range ms {
			out = append(out, name(from, m.Kind, m.From)+">"+name(row, m.Kind, m.To))
		}
		return strings.Join(out, " ")
	}
	if got := pairs(p.LeftTo, top.Streams[0].Row); got != "shop_id>shop_id amount>amount i>i" {
		t.Errorf("left: %s", got)
	}
	if got := pairs(p.RightTo, top.Streams[1].Row); got != "why>why fraud>fraud refund>cb.refund loss>loss" {
		t.Errorf("right: %s", got)
	}
	var defaults []string
	for _, d := range p.Otherwise {
		defaults = append(defaults, fmt.Sprintf("%s=%v%s", name(row, d.Kind, d.To), d.Num, d.Str))
	}
	if got := strings.Join(defaults, " "); got != "why=0none fraud=0" {
		t.Errorf("otherwise: %s", got)
	}
	if m := top.Models[0]; m.HorizonMs != 3*24*3600*1000+30_000 || m.LabelInput != 1 || !m.Regression {
		t.Errorf("model: %+v", m)
	}
	golden(t, "testdata/good/join.stages.txt", sketch(top))
}

// TestTopicLabels: labels that come on a topic of their own, and a side stream that is known later.
func TestTopicLabels(t *testing.T) {
	top := mustCompile(t, `
pipeline: p
streams:
  tx: {id: i, time: t, keyed_by: k}
  cb: {id: tx_id, time: reported}
  slow: {of: cb, delay: 1d, where: sure == 1}
entities: {e: {key: k}}
features:
  e: [{from: slow, over: [1d], compute: {n: count()}}]
models:
  m: {learner: logistic, target: fraud, labels: cb, learn: sure == 1}
  o: {learner: logistic, target: fraud, labels: slow}
`)
	wellFormed(t, top)
	golden(t, "testdata/good/labels.stages.txt", sketch(top))
	if !top.Models[0].Champion || !top.Models[1].Champion || top.Models[0].LabelInput == top.Models[1].LabelInput {
		t.Errorf("models: %+v %+v", top.Models[0], top.Models[1])
	}
}

// TestEarlierFeatures: an aggregation may read features of the entities that the event has visited already.
func TestEarlierFeatures(t *testing.T) {
	src := `
pipeline: p
streams: {tx: {id: i, time: t, keyed_by: k}}
entities: {a: {key: k}, b: {key: j}}
features:
  a: [{from: tx, over: [1h], compute: {s: sum(amount)}}]
  b: [{from: tx, over: [1h], compute: {share: mean(amount / a.s_1h)}}]
`
	top := mustCompile(t, src)
	wellFormed(t, top)
	if _, err := Parse("p.yaml", []byte(strings.Replace(strings.Replace(src, "amount / a.s_1h", "amount", 1), "sum(amount)", "sum(amount / b.share_1h)", 1))); err == nil || !strings.Contains(err.Error(), "not known here") {
		t.Errorf("a later entity's feature: %v", err)
	}
}

// TestFingerprint: it changes with names, kinds and order of the vector and with nothing else.
func TestFingerprint(t *testing.T) {
	const src = "pipeline: p\nstreams: {tx: {id: i, time: t}}\nderived: {a: x, b: y}\n"
	base := mustCompile(t, src).Fingerprint
	if got := mustCompile(t, strings.Replace(src, "a: x", "a: x * 2", 1)).Fingerprint; got != base {
		t.Error("another formula, another fingerprint")
	}
	if got := mustCompile(t, strings.Replace(src, "a: x, b: y", "b: y, a: x", 1)).Fingerprint; got == base {
		t.Error("another order, the same fingerprint")
	}
}

// TestBuiltInCode: a pipeline without a file compiles, and its mistakes have no place but a path.
func TestBuiltInCode(t *testing.T) {
	p := &Pipeline{Name: "p", Streams: Ordered[Stream]{{Name: "tx2", V: Stream{ID: "i", Time: "t", KeyedBy: "k"}}},
		Entities: Ordered[Entity]{{Name: "e", V: Entity{Key: Strings{"k"}}}},
		Features: Ordered[[]Group]{{Name: "e", V: []Group{{From: "tx2", Over: Windows{{"1h", 3600e9}}, Compute: Ordered[string]{{Name: "n", V: "count()"}}}}}}}
	if _, err := Compile(p); err != nil {
		t.Fatal(err)
	}
	if p.Streams[0].V.Topic != "" {
		t.Error("Compile changed its pipeline")
	}
	p.Features[0].V[0].From = "txs"
	p.Entities = append(p.Entities, p.Entities[0])
	if _, err := Compile(p); err == nil || !strings.Contains(err.Error(), `features.e[0].from: unknown stream "txs", expected tx2; nearest: tx2`) ||
		!strings.Contains(err.Error(), `entities.e: duplicate name "e"`) {
		t.Errorf("got %v", err)
	}
}
