package streams

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"

	"freshet/features/expr"
	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/evaluate"
	"freshet/learners/models"
	"freshet/schemas/events"
)

// trainer is the single writer of the pipeline's models: it evaluates each served score against its label, then learns.
type trainer struct {
	l      *learnFold
	models []*training
	buf    []byte
}

// training is one model in the making.
type training struct {
	plan    *ModelPlan
	shards  int
	text    string // canonical learner
	cls     learners.Classifier
	reg     learners.Regressor
	scores  *evaluate.Classification
	errors  *evaluate.Regression
	bounds  *evaluate.Intervals // nil: the learner gives none
	rival   *rivalry            // nil: a champion, or without one
	x, p    []float64
	yes     *threshold
	learned uint64
	firstMs int64 // event time of the first and newest example
	newMs   int64
	sent    uint64 // version of the newest snapshot that was published
	sentMs  int64  // wall clock
	dirty   bool
	Quality atomic.Pointer[Quality]
}

// Quality is how a model's served scores did, over all examples and over the sliding window.
type Quality struct {
	Model              string
	Learned            uint64
	Regression         bool
	Overall, Sliding   evaluate.Scores // classification
	OverallE, SlidingE evaluate.Errors // regression
	Interval           bool            // the learner gives bounds
	OverallI, SlidingI evaluate.Covered
	Champion           string           // with which the model is compared; "": with none
	Verdict            evaluate.Verdict // of that comparison, valid at any time
	Drifts             uint64           // that the learner has reacted to
	Bytes              int              // memory of the learner
}

func newTrainer(l *learnFold) (*trainer, error) {
	tr := &trainer{l: l}
	for _, m := range l.t.rt.Topo.Models {
		spec, err := parseLearner(m.Spec)
		if err != nil {
			return nil, err
		}
		tr.models = append(tr.models, &training{plan: m, shards: l.t.rt.Topo.Pipeline.Shards, text: spec.String(), x: make([]float64, len(m.Cols)), p: make([]float64, 2)})
	}
	return tr, nil
}

func (tr *trainer) load() error {
	for _, m := range tr.models {
		err := m.reset()
		if err != nil {
			return err
		}
		if m.rival, err = newRivalry(m.plan, tr.l.t.rt.Topo.Models); err != nil {
			return err
		}
		b, err := tr.l.t.st.Blob("model:" + m.plan.Name)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		if err := m.restore(b, tr.l.t.rt.Topo.Fingerprint); err != nil {
			return fmt.Errorf("model %s in the state: %w; its learner or features changed? give it another name", m.plan.Name, err)
		}
	}
	return nil
}

func (m *training) reset() (err error) {
	if m.cls, m.reg, err = m.plan.learner(); err != nil {
		return err
	}
	m.learned, m.firstMs, m.newMs, m.sent, m.dirty = 0, never, never, 0, false
	if m.yes, err = newThreshold(m.plan, m.shards); err != nil {
		return err
	}
	m.bounds = nil
	if m.plan.Interval {
		if m.bounds, err = evaluate.NewIntervals(0.1, m.plan.Spec.Window); err != nil { // what it should miss is not asked for here
			return err
		}
	}
	o := evaluate.Options{Window: m.plan.Spec.Window, Classes: m.plan.Classes}
	if m.plan.Regression {
		m.errors, err = evaluate.NewRegression(o)
	} else {
		m.scores, err = evaluate.NewClassification(o)
	}
	return err
}

// learn takes in the example whose rows are in the stage's envs, for every model whose label it is. silent: no label came.
func (tr *trainer) learn(input int, at, known int64, silent bool) {
	env, lenv := &tr.l.senv, &tr.l.lenv
	topo := tr.l.t.rt.Topo
	for i, m := range tr.models {
		p := m.plan
		if p.LabelInput != input {
			continue
		}
		y := p.Silence
		if !silent {
			y = p.Target.Num(lenv)
			if p.LearnIf != nil && !p.LearnIf.Bool(lenv) {
				continue
			}
		}
		if math.IsNaN(y) || math.IsInf(y, 0) {
			continue
		}
		class := p.classOf(y)
		if !p.Regression && class < 0 {
			tr.l.Stats.Foreign.Add(1)
			continue
		}
		said := p.of(topo, env)
		m.evaluate(said, y, class)
		if m.rival != nil {
			m.rival.learned(m.rival.champion.of(topo, env), said, y, class)
		}
		m.yes.learned(said.score(), class == 1)
		tr.l.watch.learned(i, said, y, class, env, known)
		p.vector(env, m.x)
		switch {
		case !p.Regression:
			m.cls.Learn(m.x, class, 1)
		default:
			m.regress(said, y, env)
		}
		m.learned++
		if m.firstMs == never {
			m.firstMs = at
		}
		m.newMs, m.dirty = max(m.newMs, at), true
	}
}

// regress learns a number; an interval is judged as it was served.
func (m *training) regress(said prediction, y float64, env *expr.Env) {
	base := 0.0
	if m.plan.Baseline != nil {
		base = m.plan.Baseline.Num(env)
	}
	if s, ok := m.reg.(contract.ServedLearner); ok && m.plan.Interval && said.score() == said.score() {
		low, high := said.bounds()
		s.LearnServed(m.x, y-base, 1, said.score()-base, low-base, high-base)
		return
	}
	m.reg.Learn(m.x, y-base, 1)
}

// served looks at a vector when it was served.
func (tr *trainer) served(env *expr.Env, atMs int64) {
	for _, m := range tr.models {
		if m.yes.budget != nil {
			m.yes.served(m.plan.of(tr.l.t.rt.Topo, env).score(), atMs)
			m.dirty = true
		}
	}
}

// classOf is the class that a target means: of two, whether it is above 0; of more, the whole number that it is, -1 where
// there is no such class.
func (m *ModelPlan) classOf(y float64) int {
	switch {
	case m.Regression:
		return -1
	case m.Classes == 2 && y > 0:
		return 1
	case m.Classes == 2:
		return 0
	case y >= 0 && y < float64(m.Classes) && y == math.Trunc(y):
		return int(y)
	}
	return -1
}

func (m *training) evaluate(said prediction, y float64, class int) {
	if said.score() != said.score() {
		return // served before there was a model
	}
	if m.errors != nil {
		m.errors.Update(said.score(), y)
		if m.bounds != nil {
			low, high := said.bounds()
			m.bounds.Update(low, high, y)
		}
		return
	}
	m.scores.Update(said.proba(m.p), class)
}

// publish sends the snapshots that are due. Which examples a snapshot holds is a function of the log; when one is sent is
// not, and is recorded by its version in every prediction.
func (tr *trainer) publish(nowMs int64) {
	t := tr.l.t
	for _, m := range tr.models {
		if q := m.Quality.Load(); q == nil || q.Learned != m.learned {
			m.measure()
		}
		if m.learned < uint64(m.plan.Spec.Ready) || m.learned == m.sent || nowMs-m.sentMs < m.plan.SnapshotMs {
			continue
		}
		m.sent, m.sentMs = m.learned, nowMs
		rec := events.Model{Name: m.plan.Name, Version: m.learned, Learner: m.text, Fingerprint: t.rt.Topo.Fingerprint, Examples: int64(m.learned), TimeMs: m.newMs, Offset: t.next, Bytes: m.snapshot(t, true)}
		t.emit(t.rt.Names.Models, 0, t.arena.copy([]byte(t.shardName(m.plan.Name))), t.rt.Format.encode(&t.arena, t.rt.Format.IDs.Model, &rec))
	}
}

// shardName names what a shard publishes of its own: the models topic is compacted by it. One shard adds nothing.
func (t *Task) shardName(name string) string {
	if t.rt.Topo.Pipeline.Shards <= 1 {
		return name
	}
	return name + "/" + strconv.Itoa(t.part)
}

func (m *training) measure() {
	q := &Quality{Model: m.plan.Name, Learned: m.learned, Regression: m.plan.Regression}
	if m.errors != nil {
		q.OverallE, q.SlidingE = m.errors.Overall(), m.errors.Windowed()
	} else {
		q.Overall, q.Sliding = m.scores.Overall(), m.scores.Windowed()
	}
	if m.bounds != nil {
		q.Interval, q.OverallI, q.SlidingI = true, m.bounds.Overall(), m.bounds.Windowed()
	}
	if m.rival != nil {
		q.Champion, q.Verdict = m.rival.champion.Name, m.rival.test.Verdict()
	}
	if d, ok := contract.As[contract.Drifter](m.model()); ok {
		q.Drifts = d.Drifts()
	}
	q.Bytes = m.model().Bytes()
	m.Quality.Store(q)
}

// snapshot writes the model with what it is and what it was trained on; one that only serves may leave out what is for learning.
func (m *training) snapshot(t *Task, serving bool) []byte {
	model := m.model()
	var w encoding.BinaryAppender = model
	if serving {
		w = contract.Serving(model)
	}
	enc, err := w.AppendBinary(nil)
	if err != nil {
		panic("BUG: a model that cannot be written: " + err.Error())
	}
	s := models.Snapshot{Name: m.plan.Name, Version: max(m.learned, 1), Learner: m.text, SchemaFingerprint: t.rt.Topo.Fingerprint, Classes: m.plan.Classes, Partition: int32(t.part), Examples: m.learned,
		EventTimeMs: max(m.newMs, 0), Offset: t.next, Trained: models.Range{LastOffset: t.next, FirstTimeMs: max(m.firstMs, 0), LastTimeMs: max(m.newMs, 0)}, Bytes: enc, Threshold: m.yes.at()}
	out, err := s.AppendBinary(nil)
	if err != nil {
		panic("BUG: a snapshot that cannot be written: " + err.Error())
	}
	return out
}

// save keeps every model that has learned since the last commit, with its metrics.
func (tr *trainer) save() {
	for _, m := range tr.models {
		if !m.dirty {
			continue
		}
		m.dirty = false
		b := appendOptional(tr.buf[:0], m.snapshot(tr.l.t, false))
		b = binary.AppendVarint(b, m.firstMs)
		b = binary.AppendVarint(b, m.newMs)
		b = binary.AppendUvarint(b, m.sent)
		if m.errors != nil {
			b = appendModel(b, m.errors)
		} else {
			b = appendModel(b, m.scores)
		}
		b = m.appendJudges(m.yes.append(b))
		tr.buf = b
		tr.l.t.st.SetBlob("model:"+m.plan.Name, b)
	}
}

func (m *training) restore(p []byte, fingerprint uint64) error {
	r := blobReader{p: p}
	var s models.Snapshot
	if err := s.UnmarshalBinary(r.bytes()); err != nil {
		return err
	}
	if err := fits(&s, m.text, fingerprint); err != nil {
		return err
	}
	m.learned, m.firstMs, m.newMs, m.sent = s.Examples, r.varint(), r.varint(), r.uvarint()
	model, metric := learners.Model(m.cls), interface{ UnmarshalBinary([]byte) error }(m.scores)
	if m.plan.Regression {
		model, metric = m.reg, m.errors
	}
	if err := model.UnmarshalBinary(s.Bytes); err != nil {
		return err
	}
	if err := metric.UnmarshalBinary(r.bytes()); err != nil {
		return err
	}
	if err := m.yes.restore(&r); err != nil {
		return err
	}
	if err := m.restoreJudges(&r); err != nil {
		return err
	}
	if r.bad {
		return fmt.Errorf("%d bytes are damaged", len(p))
	}
	return nil
}

// fits refuses a snapshot that another learner made or that saw other features.
func fits(s *models.Snapshot, learner string, fingerprint uint64) error {
	if s.Learner != learner {
		return fmt.Errorf("made by %s, the pipeline has %s", s.Learner, learner)
	}
	if s.SchemaFingerprint != fingerprint {
		return fmt.Errorf("its vectors have schema %016x, the pipeline's %016x", s.SchemaFingerprint, fingerprint)
	}
	return nil
}
