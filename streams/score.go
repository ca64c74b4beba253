package streams

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"freshet/features/expr"
	"freshet/learners"
	"freshet/schemas"
	"freshet/schemas/events"
)

// Board holds, per model, the snapshot in force. Scorers read it without locks; whoever hears of a new one swaps it.
type Board struct {
	models []atomic.Pointer[Snapshot]
}

// Snapshot is one version of a model, ready to predict. It is never changed once on the board.
type Snapshot struct {
	Version    uint64 // examples learned
	Classifier learners.Classifier
	Regressor  learners.Regressor
}

// NewBoard makes an empty board for the pipeline's models.
func NewBoard(t *Topology) *Board {
	return &Board{models: make([]atomic.Pointer[Snapshot], len(t.Models))}
}

// Set puts a snapshot in force unless a newer one already is.
func (b *Board) Set(model int, s *Snapshot) {
	for {
		old := b.models[model].Load()
		if old != nil && old.Version >= s.Version {
			return
		}
		if b.models[model].CompareAndSwap(old, s) {
			return
		}
	}
}

// Get returns the snapshot in force, nil when there is none yet.
func (b *Board) Get(model int) *Snapshot { return b.models[model].Load() }

// scorer completes an event's row: derived values, rules, models; and publishes features and predictions.
type scorer struct {
	rt    *Runtime
	x     []float64
	p     []float64
	feat  featureRow
	keySl []int                       // the first entity's key, by which features are published; nil without entities
	after func(t *Task, timeMs int64) // backfill: writes the row where it is going
}

func newScorer(rt *Runtime) *scorer {
	n := 0
	for _, m := range rt.Topo.Models {
		n = max(n, len(m.Cols))
	}
	s := &scorer{rt: rt, x: make([]float64, n), p: make([]float64, 2)}
	if chain := rt.Topo.chain(); len(chain) > 0 {
		s.keySl = chain[0].KeySl
	}
	return s
}

// Decided is what was decided for one event.
type Decided struct {
	Score   float64 // NaN when no rule matched and no model is ready
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
	s.predict(&t.env, scoreBase(topo))
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

// scoreBase is the first of the env's slots for predictions: two a model, score and version.
func scoreBase(topo *Topology) int { return topo.Streams[topo.Events].Row.Nums }

// predict puts each model's score and version into env.
func (s *scorer) predict(env *expr.Env, base int) {
	for i, m := range s.rt.Topo.Models {
		score, version := math.NaN(), 0.0
		if snap := s.rt.Board.Get(i); snap != nil {
			x := s.x[:len(m.Cols)]
			m.vector(env, x)
			score, version = m.predict(snap, x, s.p, env), float64(snap.Version)
		}
		env.Num[base+2*i], env.Num[base+2*i+1] = score, version
	}
}

// vector fills x with the model's inputs.
func (m *ModelPlan) vector(env *expr.Env, x []float64) {
	for i := range m.Cols {
		c := &m.Cols[i]
		if c.Kind == schemas.Str {
			x[i] = categoryCode(env.Str[c.Slot])
		} else {
			x[i] = env.Num[c.Slot]
		}
	}
}

// categoryCode turns a text into a category: the low 20 bits of its xxHash64. It needs no table that every partition would have
// to agree on; two values share a code once in a million pairs. Null is NaN.
func categoryCode(v []byte) float64 {
	if v == nil {
		return math.NaN()
	}
	return float64(xxhash.Sum64(v) & 0xfffff)
}

func (m *ModelPlan) predict(snap *Snapshot, x, p []float64, env *expr.Env) float64 {
	if m.Regression {
		y := snap.Regressor.Predict(x)
		if m.Baseline != nil {
			y += m.Baseline.Num(env)
		}
		return y
	}
	snap.Classifier.PredictProba(x, p)
	return p[1]
}

// decide applies the rules, then the champion, or for its share of events a challenger.
func (s *scorer) decide(env *expr.Env, id []byte, base int) Decided {
	topo := s.rt.Topo
	for i := range topo.Rules {
		if r := &topo.Rules[i]; r.When.Bool(env) {
			return Decided{Score: r.Score, Source: "rule", Reason: r.Reason}
		}
	}
	d := Decided{Score: math.NaN(), Source: "none"}
	share := float64(xxhash.Sum64(id)>>11) / (1 << 53)
	for i, m := range topo.Models {
		v := env.Num[base+2*i]
		if v != v {
			continue
		}
		if m.Champion || share < m.Traffic {
			d = Decided{Score: v, Model: m.Name, Version: uint64(env.Num[base+2*i+1]), Source: "model"}
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
	topo, base := s.rt.Topo, scoreBase(s.rt.Topo)
	if s.rt.Names.Predictions == "" || len(topo.Models)+len(topo.Rules) == 0 {
		return
	}
	d := s.decide(&t.env, id, base)
	put := func(p *events.Prediction) {
		t.emit(s.rt.Names.Predictions, -1, id, s.rt.Format.encode(&t.arena, s.rt.Format.IDs.Prediction, p))
		t.stats.Predictions.Add(1)
	}
	p := events.Prediction{ID: id, TimeMs: timeMs, Fingerprint: topo.Fingerprint, Class: -1}
	for i, m := range topo.Models {
		v := t.env.Num[base+2*i]
		if v != v {
			continue
		}
		p.Model, p.Version, p.Score, p.Source = m.Name, uint64(t.env.Num[base+2*i+1]), v, "model"
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
		p.Model, p.Version, p.Score, p.Source, p.Reason, p.Role = "", 0, d.Score, "rule", d.Reason, "champion"
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
	c, err := spec.NewClassifier(in, 2)
	return c, nil, err
}
