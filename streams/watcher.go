package streams

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"freshet/features/expr"
	"freshet/learners/drift"
	"freshet/schemas"
	"freshet/schemas/events"
)

// watcher watches errors, predictions, labels and features for change, and turns changes into drift events and these, under
// the pipeline's policy, into retrain requests.
type watcher struct {
	l      *learnFold
	series []*series
	// policy
	asked []asked // per model: the newest request for it
	count uint64  // drift events so far, part of their ids
	dirty bool
	buf   []byte
}

// asked is what is remembered of the newest retrain request for a model.
type asked struct {
	at      int64  // event time; never before the first, and then the time at which the schedule began
	learned uint64 // examples learned by then
	offset  int64
}

// series is one watch: a detector per segment, or a distribution per feature.
type series struct {
	plan  *WatchPlan
	spec  drift.Spec
	order []string // segments in order of appearance
	segs  map[string]*segment
	psi   []*drift.PSI
	// psi windows, event time
	refFrom, refTo int64
	from, to       int64
	fromOffset     int64
}

type segment struct {
	det        drift.Detector
	fromMs     int64
	fromOffset int64
}

func newWatcher(l *learnFold) (*watcher, error) {
	w := &watcher{l: l, asked: make([]asked, len(l.t.rt.Topo.Models))}
	for _, p := range l.t.rt.Topo.Watches {
		s := &series{plan: p}
		if p.What != "feature" {
			var err error
			if s.spec, err = parseDetector(p.Spec); err != nil {
				return nil, err
			}
		}
		w.series = append(w.series, s)
	}
	return w, nil
}

func (s *series) reset() error {
	s.order, s.segs = nil, map[string]*segment{}
	s.refFrom, s.refTo, s.from, s.to, s.fromOffset = never, never, never, never, -1
	s.psi = s.psi[:0]
	if s.plan.What == "feature" {
		for i, c := range s.plan.Cols {
			p, err := drift.NewPSI(drift.PSIOptions{Categorical: c.Kind == schemas.Str, Sample: 4096, Seed: uint64(i)})
			if err != nil {
				return err
			}
			s.psi = append(s.psi, p)
		}
	}
	return nil
}

// served looks at a vector when it was served.
func (w *watcher) served(env *expr.Env, at int64) {
	for _, s := range w.series {
		switch s.plan.What {
		case "feature":
			w.feature(s, env, at)
		case "value":
			for i := range s.plan.Cols {
				w.update(s, s.segmentOf(env), s.plan.Cols[i].number(env), at)
			}
		case "prediction":
			topo := w.l.t.rt.Topo
			v := topo.Models[s.plan.Model].of(topo, env).score()
			w.update(s, s.segmentOf(env), v, at)
		}
	}
}

// learned looks at an example: the error of the score that was served, and the target.
func (w *watcher) learned(model int, said prediction, y float64, class int, env *expr.Env, known int64) {
	for _, s := range w.series {
		if s.plan.Model != model {
			continue
		}
		switch s.plan.What {
		case "error":
			if said.score() == said.score() {
				w.update(s, s.segmentOf(env), said.errorOf(y, class), known)
			}
		case "label":
			w.update(s, s.segmentOf(env), y, known)
		}
	}
}

func (s *series) segmentOf(env *expr.Env) string {
	if s.plan.BySl < 0 {
		return ""
	}
	return string(env.Str[s.plan.BySl])
}

func (w *watcher) update(s *series, name string, v float64, at int64) {
	if v != v {
		return
	}
	g := s.segs[name]
	if g == nil {
		if limit := s.plan.Spec.Segments; s.plan.BySl >= 0 && len(s.order) >= limit {
			return // bounded: values that come later than the first so many are not watched apart
		}
		det, err := s.spec.New()
		if err != nil {
			panic("BUG: a detector that was checked cannot be made: " + err.Error())
		}
		g = &segment{det: det, fromMs: at, fromOffset: w.l.t.next - 1}
		s.segs[name] = g
		s.order = append(s.order, name)
	}
	w.dirty = true
	if g.det.Update(v) != drift.Drift {
		return
	}
	d := drift.Detail{Statistic: math.NaN(), Threshold: math.NaN(), Effect: math.NaN()}
	if e, ok := g.det.(drift.Explainer); ok {
		d = e.Explain()
	}
	ev := events.Drift{Kind: driftKinds[s.plan.What], ReferenceStartMs: events.NullMs, ReferenceEndMs: events.NullMs, Series: s.plan.Spec.Watch, Segment: name, Detector: s.spec.String(), Statistic: d.Statistic, Threshold: d.Threshold,
		Severity: min(d.Effect, 1), WindowStartMs: g.fromMs, WindowEndMs: at, OffsetFrom: g.fromOffset, OffsetTo: w.l.t.next - 1}
	g.fromMs, g.fromOffset = at, w.l.t.next-1
	w.emit(s, &ev, at)
}

// feature counts a vector into the windows of event time: first the reference, then one current window after the other.
func (w *watcher) feature(s *series, env *expr.Env, at int64) {
	w.dirty = true
	if s.refFrom == never {
		s.refFrom, s.fromOffset = at, w.l.t.next-1
	}
	if s.refTo == never && at >= s.refFrom+s.plan.Spec.Reference.Millis() {
		s.refTo = at
		for _, p := range s.psi {
			p.Seal()
		}
		s.from, s.to, s.fromOffset = at, at+s.plan.Spec.Every.Millis(), w.l.t.next-1
	}
	if s.refTo != never && at >= s.to {
		w.compare(s)
		every := s.plan.Spec.Every.Millis()
		s.from += (at - s.from) / every * every
		s.to, s.fromOffset = s.from+every, w.l.t.next-1
	}
	for i := range s.plan.Cols {
		s.psi[i].Observe(s.plan.Cols[i].number(env))
	}
}

var driftKinds = map[string]events.DriftKind{"error": events.ErrorDrift, "prediction": events.PredictionDrift, "label": events.LabelDrift, "value": events.FeatureDrift}

func policyText(p *Retrain) string {
	return fmt.Sprintf("on %v, every %s, cooldown %s, min_examples %d", []string(p.On), p.Every, p.Cooldown, p.MinExamples)
}

// leastPSI is how many values a window needs: with fewer, the index of an unchanged feature is above common thresholds by chance
// (its expectation is about (bins-1)(1/n+1/m)).
const leastPSI = 500

func (w *watcher) compare(s *series) {
	for i, p := range s.psi {
		_, n := p.Counts()
		v := p.Value()
		if p.Sealed() && n >= leastPSI && v >= s.plan.Spec.Threshold {
			ev := events.Drift{Kind: events.FeatureDrift, Series: s.plan.Cols[i].Name, Detector: "psi", Statistic: v, Threshold: s.plan.Spec.Threshold, Severity: min(v, 1),
				WindowStartMs: s.from, WindowEndMs: s.to, ReferenceStartMs: s.refFrom, ReferenceEndMs: s.refTo, OffsetFrom: s.fromOffset, OffsetTo: w.l.t.next - 1}
			w.emit(s, &ev, s.to)
		}
		p.Clear()
	}
}

// emit publishes a drift event and asks for retraining where the policy says so.
func (w *watcher) emit(s *series, ev *events.Drift, at int64) {
	t := w.l.t
	w.count++
	w.dirty = true
	ev.ID = fmt.Sprintf("%s-%d", t.shardName(t.rt.Topo.Pipeline.Name), w.count)
	ev.TimeMs = at
	if s.plan.Model >= 0 {
		ev.Model = t.rt.Topo.Models[s.plan.Model].Name
		ev.ModelVersion = w.l.train.models[s.plan.Model].learned
	}
	w.l.Stats.Drifts.Add(1)
	w.l.Stats.DriftKinds.add(ev.Kind.String())
	if !t.quiet {
		t.emit(t.rt.Names.Drift, -1, t.arena.copy([]byte(ev.Series)), t.rt.Format.encode(&t.arena, t.rt.Format.IDs.Drift, ev))
	}
	p := t.rt.Topo.Pipeline.Retrain
	if p == nil {
		return
	}
	for _, on := range p.On {
		if on == "drift" || on == ev.Kind.String() {
			w.request("drift", []string{ev.ID}, s.plan.Model, at)
			return
		}
	}
}

// advance asks for retraining on schedule.
func (w *watcher) advance(now int64) {
	p := w.l.t.rt.Topo.Pipeline.Retrain
	if p == nil || p.Every <= 0 || now == never {
		return
	}
	for i := range w.asked {
		switch a := &w.asked[i]; {
		case a.at == never:
			a.at, w.dirty = now, true
		case now-a.at >= p.Every.Millis():
			w.request("schedule", nil, i, now)
		}
	}
}

// request emits a retrain request for a model, or for each (model -1), unless the policy's cool-down or its minimum of new
// examples forbid it.
func (w *watcher) request(reason string, drifts []string, model int, at int64) {
	t := w.l.t
	p := t.rt.Topo.Pipeline.Retrain
	for i, m := range t.rt.Topo.Models {
		tm, a := w.l.train.models[i], &w.asked[i]
		if model >= 0 && model != i || a.learned > 0 && at-a.at < p.Cooldown.Millis() {
			continue
		}
		if tm.learned < a.learned+uint64(p.MinExamples) {
			if reason == "schedule" {
				a.at, w.dirty = at, true // too little is new: the schedule goes on from here
			}
			continue
		}
		r := events.Retrain{ID: t.shardName(t.rt.Topo.Pipeline.Name) + "-" + m.Name + "-" + strconv.FormatUint(tm.learned, 10), TimeMs: at, Model: m.Name, Reason: reason, Policy: policyText(p), DriftIDs: drifts,
			FromMs: max(a.at, tm.firstMs), ToMs: at, OffsetFrom: a.offset, OffsetTo: t.next - 1, Examples: int64(tm.learned - a.learned), ModelVersion: tm.learned}
		*a = asked{at: at, learned: tm.learned, offset: t.next - 1}
		w.dirty = true
		w.l.Stats.Retrains.Add(1)
		w.l.Stats.RetrainModels.add(m.Name)
		if !t.quiet {
			t.emit(t.rt.Names.Retrain, -1, t.arena.copy([]byte(m.Name)), t.rt.Format.encode(&t.arena, t.rt.Format.IDs.Retrain, &r))
		}
	}
}

// save writes the policy's memory and every detector.
func (w *watcher) save() {
	if !w.dirty {
		return
	}
	w.dirty = false
	b := binary.AppendUvarint(w.buf[:0], w.count)
	for _, a := range w.asked {
		b = binary.AppendVarint(b, a.at)
		b = binary.AppendUvarint(b, a.learned)
		b = binary.AppendVarint(b, a.offset)
	}
	for _, s := range w.series {
		for _, v := range []int64{s.refFrom, s.refTo, s.from, s.to, s.fromOffset} {
			b = binary.AppendVarint(b, v)
		}
		b = binary.AppendUvarint(b, uint64(len(s.order)))
		for _, name := range s.order {
			g := s.segs[name]
			b = appendOptional(b, []byte(name))
			b = binary.AppendVarint(b, g.fromMs)
			b = binary.AppendVarint(b, g.fromOffset)
			b = appendModel(b, g.det)
		}
		for _, p := range s.psi {
			b = appendModel(b, p)
		}
	}
	w.buf = b
	w.l.t.st.SetBlob("drift", b)
}

func appendModel(dst []byte, m interface{ AppendBinary([]byte) ([]byte, error) }) []byte {
	enc, err := m.AppendBinary(nil)
	if err != nil {
		panic("BUG: a model or detector that cannot be written: " + err.Error())
	}
	return appendOptional(dst, enc)
}

func (w *watcher) load() error {
	w.count, w.dirty = 0, false
	for i := range w.asked {
		w.asked[i] = asked{at: never}
	}
	for _, s := range w.series {
		if err := s.reset(); err != nil {
			return err
		}
	}
	p, err := w.l.t.st.Blob("drift")
	if err != nil || p == nil {
		return err
	}
	r := blobReader{p: p}
	w.count = r.uvarint()
	for i := range w.asked {
		w.asked[i] = asked{r.varint(), r.uvarint(), r.varint()}
	}
	for _, s := range w.series {
		s.refFrom, s.refTo, s.from, s.to, s.fromOffset = r.varint(), r.varint(), r.varint(), r.varint(), r.varint()
		n := r.uvarint()
		for i := uint64(0); i < n && !r.bad; i++ {
			name := string(r.bytes())
			g := &segment{fromMs: r.varint(), fromOffset: r.varint()}
			if g.det, err = s.spec.New(); err != nil {
				return err
			}
			if err := g.det.UnmarshalBinary(r.bytes()); err != nil {
				return fmt.Errorf("detector of %s: %w", s.plan.Spec.Watch, err)
			}
			s.segs[name] = g
			s.order = append(s.order, name)
		}
		for _, q := range s.psi {
			if err := q.UnmarshalBinary(r.bytes()); err != nil {
				return fmt.Errorf("distribution of %s: %w", s.plan.Spec.Watch, err)
			}
		}
	}
	if r.bad {
		return fmt.Errorf("%s: blob drift of %d bytes is damaged, or the pipeline's drift section changed", w.l.t.name, len(p))
	}
	return nil
}

// blobReader reads what the append functions here wrote; after damage everything is zero and bad is set.
type blobReader struct {
	p   []byte
	bad bool
}

func (r *blobReader) varint() int64 {
	v, n := binary.Varint(r.p)
	if n <= 0 {
		r.bad, r.p = true, nil
		return 0
	}
	r.p = r.p[n:]
	return v
}

func (r *blobReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.p)
	if n <= 0 {
		r.bad, r.p = true, nil
		return 0
	}
	r.p = r.p[n:]
	return v
}

func (r *blobReader) bytes() []byte {
	n, k := binary.Uvarint(r.p)
	if k <= 0 || n > uint64(len(r.p)-k)+1 {
		r.bad, r.p = true, nil
		return nil
	}
	r.p = r.p[k:]
	if n == 0 {
		return nil
	}
	v := r.p[:n-1]
	r.p = r.p[n-1:]
	return v
}
