package streams

import (
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"freshet/features/expr"
	"freshet/learners"
	"freshet/learners/contract"
	"freshet/schemas"
	"freshet/schemas/events"
)

// scorer completes an event's row: derived values, rules, models; and publishes features and predictions.
type scorer struct {
	rt    *Runtime
	x     []float64
	feat  featureRow
	keySl []int                       // the first entity's key, by which features are published; nil without entities
	after func(t *Task, timeMs int64) // backfill: writes the row where it is going
}

func newScorer(rt *Runtime) *scorer {
	n := 0
	for _, m := range rt.Topo.Models {
		n = max(n, len(m.Cols))
	}
	s := &scorer{rt: rt, x: make([]float64, n)}
	if chain := rt.Topo.chain(); len(chain) > 0 {
		s.keySl = chain[0].KeySl
	}
	return s
}

// Decided is what was decided for one event.
type Decided struct {
	Score   float64 // NaN when no rule matched and no model is ready
	Low     float64 // bounds of the score, NaN where the model gives none
	High    float64
	Model   string
	Version uint64
	Source  string // rule, model, none
	Reason  string
}

// row works on the complete row in the task's env.
func (s *scorer) row(t *Task, timeMs int64) {
	topo := s.rt.Topo
	s.derive(&t.env)
	if s.after != nil {
		s.after(t, timeMs)
	}
	s.predict(&t.env)
	if t.quiet {
		return
	}
	idSl := topo.Streams[topo.Events].Row.Slot[topo.Streams[topo.Events].IDCol]
	id := t.env.Str[idSl]
	if n := s.rt.Names.Features; n != "" {
		key, ok := id, true
		if s.keySl != nil {
			t.key, ok = appendKey(t.key[:0], &t.env, s.keySl)
			if ok {
				key = t.arena.copy(t.key)
			}
		}
		at := t.arena.begin(64 + len(id) + 24*len(topo.FeatureCols))
		t.arena.buf = s.rt.Format.appendFeatures(t.arena.buf, &s.feat, topo.FeatureCols, id, timeMs, &t.env, -1)
		t.emit(n, -1, key, t.arena.end(at))
		t.stats.Features.Add(1)
	}
	s.publish(t, id, timeMs)
}

func (s *scorer) derive(env *expr.Env) {
	for i := range s.rt.Topo.Derived {
		d := &s.rt.Topo.Derived[i]
		switch d.Prog.Kind() {
		case expr.Bool:
			env.Num[d.Out] = 0
			if d.Prog.Bool(env) {
				env.Num[d.Out] = 1
			}
		default:
			env.Num[d.Out] = d.Prog.Num(env)
		}
	}
}

// predict puts what each model says into env.
func (s *scorer) predict(env *expr.Env) {
	for i, m := range s.rt.Topo.Models {
		p := m.of(s.rt.Topo, env)
		snap := s.rt.Board.Get(i)
		if snap == nil {
			p.clear()
			continue
		}
		x := s.x[:len(m.Cols)]
		m.vector(env, x)
		m.predict(snap, x, env, p)
	}
}

// vector fills x with the model's inputs.
func (m *ModelPlan) vector(env *expr.Env, x []float64) {
	for i := range m.Cols {
		x[i] = m.Cols[i].number(env)
	}
}

// number is the column's value: of a text the code of the category.
func (c *ModelCol) number(env *expr.Env) float64 {
	if c.Kind == schemas.Str {
		return categoryCode(env.Str[c.Slot])
	}
	return env.Num[c.Slot]
}

// categoryCode turns a text into a category: the low 20 bits of its xxHash64. It needs no table that every partition would have
// to agree on; two values share a code once in a million pairs. Null is NaN.
func categoryCode(v []byte) float64 {
	if v == nil {
		return math.NaN()
	}
	return float64(xxhash.Sum64(v) & 0xfffff)
}

// predict fills p with what the snapshot says of x.
func (m *ModelPlan) predict(snap *Snapshot, x []float64, env *expr.Env, p prediction) {
	p.v[1] = float64(snap.Version)
	if m.Regression {
		base := 0.0
		if m.Baseline != nil {
			base = m.Baseline.Num(env)
		}
		p.v[0] = snap.Regressor.Predict(x) + base
		if m.Interval {
			low, high := snap.Regressor.(contract.Interval).PredictInterval(x)
			p.v[2], p.v[3] = low+base, high+base
		}
		return
	}
	if m.Classes == 2 {
		var two [2]float64
		snap.Classifier.PredictProba(x, two[:])
		p.v[0] = two[1]
		if m.Decides() {
			p.v[len(p.v)-1] = snap.Threshold
		}
		return
	}
	probs := p.proba(nil)
	snap.Classifier.PredictProba(x, probs)
	p.v[0] = probs[p.class()]
}

// decide applies the rules, then the champion, or for its share of events a challenger.
func (s *scorer) decide(env *expr.Env, id []byte) Decided {
	topo := s.rt.Topo
	for i := range topo.Rules {
		if r := &topo.Rules[i]; r.When.Bool(env) {
			return Decided{Score: r.Score, Low: math.NaN(), High: math.NaN(), Source: "rule", Reason: r.Reason}
		}
	}
	d := Decided{Score: math.NaN(), Low: math.NaN(), High: math.NaN(), Source: "none"}
	share := float64(xxhash.Sum64(id)>>11) / (1 << 53)
	for _, m := range topo.Models {
		v := m.of(topo, env)
		if v.score() != v.score() {
			continue
		}
		if m.Champion || share < m.Traffic {
			d = Decided{Score: v.score(), Model: m.Name, Version: v.version(), Source: "model"}
			d.Low, d.High = v.bounds()
		}
		if !m.Champion {
			share -= m.Traffic
			if share < 0 && d.Model == m.Name {
				return d
			}
		}
	}
	return d
}

// publish writes one prediction a model and, where a rule decided, the rule's. The role says whose score was served: a champion's or a
// challenger's; a shadow's was not.
func (s *scorer) publish(t *Task, id []byte, timeMs int64) {
	topo := s.rt.Topo
	if s.rt.Names.Predictions == "" || len(topo.Models)+len(topo.Rules) == 0 {
		return
	}
	d := s.decide(&t.env, id)
	put := func(p *events.Prediction) {
		t.emit(s.rt.Names.Predictions, -1, id, s.rt.Format.encode(&t.arena, s.rt.Format.IDs.Prediction, p))
		t.stats.Predictions.Add(1)
	}
	p := events.Prediction{ID: id, TimeMs: timeMs, Fingerprint: topo.Fingerprint, Class: -1}
	for _, m := range topo.Models {
		v := m.of(topo, &t.env)
		if v.score() != v.score() {
			continue
		}
		p.Model, p.Version, p.Score, p.Source, p.Class = m.Name, v.version(), v.score(), "model", v.class()
		p.Low, p.High = v.bounds()
		p.Role = "shadow"
		if d.Source == "model" && d.Model == m.Name {
			p.Role = "challenger"
			if m.Champion {
				p.Role = "champion"
			}
		}
		put(&p)
	}
	if d.Source == "rule" {
		p.Model, p.Version, p.Score, p.Source, p.Reason, p.Role, p.Class = "", 0, d.Score, "rule", d.Reason, "champion", -1
		p.Low, p.High = math.NaN(), math.NaN()
		put(&p)
	}
}

// chain lists the entities in the order in which an event visits them.
func (t *Topology) chain() []*EntityPlan {
	var out []*EntityPlan
	for _, s := range t.Stages {
		if s.Entity != nil {
			out = append(out, s.Entity)
		}
	}
	return out
}

// learner builds an untrained learner of this model.
func (m *ModelPlan) learner() (learners.Classifier, learners.Regressor, error) {
	in := learners.Input{Features: len(m.Cols)}
	for i := range m.Cols {
		in.Names = append(in.Names, m.Cols[i].Name)
	}
	for _, i := range m.Nominal {
		in.Nominal = append(in.Nominal, learners.Nominal{Feature: i})
	}
	spec, err := parseLearner(m.Spec)
	if err != nil {
		return nil, nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if m.Regression {
		r, err := spec.NewRegressor(in)
		return nil, r, err
	}
	c, err := spec.NewClassifier(in, m.Classes)
	return c, nil, err
}
