package streams

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"freshet/features"
	"freshet/features/expr"
	"freshet/schemas"
)

// ErrNotFound says that an entity is unknown here.
var ErrNotFound = errors.New("not found")

// View is the features of one entity as of a time.
type View struct {
	Entity    string
	Key       string
	AsOfMs    int64 // the time the values hold for
	LastMs    int64 // the newest event folded
	Names     []string
	Values    []float64 // NaN = null
	Partition int
}

// Features reads an entity as of nowMs; with nowMs < 0 as of the newest event time that its task has seen, which is "now" of
// the events, on a live stream and on a replay of old ones alike. It changes nothing.
func (e *Engine) Features(entity, key string, nowMs int64) (View, error) {
	known := false
	e.tasksMu.RLock()
	defer e.tasksMu.RUnlock()
	for _, o := range e.order {
		f := o.task.entity
		if f == nil || f.plan.Name != entity {
			continue
		}
		known = true
		if v, err := o.task.view([]byte(key), nowMs); err == nil {
			return v, nil
		} else if !errors.Is(err, ErrNotFound) {
			return View{}, err
		}
	}
	if !known {
		return View{}, fmt.Errorf("%w: no entity %q in this pipeline, or none of its partitions here", ErrNotFound, entity)
	}
	return View{}, fmt.Errorf("%w: %s %q", ErrNotFound, entity, key)
}

func (t *Task) view(key []byte, nowMs int64) (View, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.entity
	en, ok, err := f.table.Lookup(key)
	if err != nil {
		return View{}, err
	}
	if !ok {
		return View{}, ErrNotFound
	}
	v := View{Entity: f.plan.Name, Key: string(key), AsOfMs: nowMs, LastMs: f.agg.LastEvent(en.Val), Names: f.plan.Names, Values: make([]float64, len(f.plan.Out)), Partition: t.part}
	if nowMs < 0 {
		v.AsOfMs = max(t.newest(), v.LastMs)
	}
	f.agg.ReadAt(en.Val, v.AsOfMs, v.Values)
	f.fill(v.Values)
	return v, nil
}

// newest is the event time that the task has come to.
func (t *Task) newest() int64 {
	if t.merge != nil {
		return t.merge.frontier
	}
	return t.ingest.newest
}

// onlineValue is what the online store holds for an entity: the record of the features topic's schema as of its last event, then the
// entity's state, for values as of now, and the length of that state in 4 bytes. A reader that wants only the record stops after it.
func (t *Task) onlineValue(en *features.Entry, key []byte) []byte {
	f := t.entity
	env := expr.Env{Num: t.env.Num, Str: make([][]byte, len(t.env.Str))}
	last := f.agg.LastEvent(en)
	f.agg.ReadAt(en, last, f.out)
	f.fill(f.out)
	for j, v := range f.out {
		env.Num[f.plan.Out[j]] = v
	}
	for i, p := range splitKey(key, len(f.plan.KeySl)) {
		env.Str[f.plan.KeySl[i]] = p
	}
	at := -1
	for i, c := range t.rt.Topo.chain() {
		if c == f.plan {
			at = i
		}
	}
	v := t.rt.Format.appendFeatures(nil, &featureRow{}, t.rt.Topo.FeatureCols, nil, last, &env, at)
	if t.rt.Format.JSON {
		return v
	}
	n := len(v)
	v = f.agg.Append(v, en)
	return binary.LittleEndian.AppendUint32(v, uint32(len(v)-n))
}

// splitKey is the inverse of appendKey.
func splitKey(key []byte, parts int) [][]byte {
	if parts == 1 {
		return [][]byte{key}
	}
	out := [][]byte{nil}
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '\\' && i+1 < len(key):
			i++
			out[len(out)-1] = append(out[len(out)-1], key[i])
		case c == '|' && len(out) < parts:
			out = append(out, nil)
		default:
			out[len(out)-1] = append(out[len(out)-1], c)
		}
	}
	return out
}

// Scored is the answer to one event that was scored without being stored.
type Scored struct {
	Decided
	Vector map[string]any
	Models map[string]float64
	// Explain says what moved the score; nil where no model decided. Its work is done when it is called.
	Explain func() *Explained
}

// Score computes the vector and score that an event would get now. The record is in the events' stream's format. Nothing is stored.
// Entities of which this process owns no partition count as new; missing says which.
func (e *Engine) Score(payload []byte, dec schemas.Decoder) (s Scored, missing []string, err error) {
	topo := e.rt.Topo
	ev := topo.Streams[topo.Events]
	b := schemas.NewBatch(ev.Wire, 1)
	row := b.AppendRow(0)
	if err := dec.Decode(b, row, payload); err != nil {
		return s, nil, err
	}
	sh := &Task{rt: e.rt}
	sh.sizeEnv()
	for i := range b.Num {
		sh.env.Num[i] = b.Num[i][row]
	}
	for i := range b.Str {
		sh.env.Str[i] = b.Str[i][row]
	}
	e.tasksMu.RLock()
	defer e.tasksMu.RUnlock()
	for _, p := range topo.chain() {
		f := newEntityShadow(sh, p)
		en := f.agg.New()
		found := e.lend(p, sh, func(own *entityFold, src *features.Entry) { own.agg.Clone(en, src) })
		if !found {
			missing = append(missing, p.Name)
		}
		f.apply(en, topo.Events, b.Time[row], true)
	}
	sc := newScorer(e.rt)
	sc.derive(&sh.env)
	sc.predict(&sh.env)
	id := []byte(nil)
	if ev.IDCol >= 0 {
		id = sh.env.Str[ev.Row.Slot[ev.IDCol]]
	}
	s.Decided = sc.decide(&sh.env, id)
	for i, m := range topo.Models {
		if snap := e.rt.Board.Get(i); snap != nil && s.Source == "model" && s.Model == m.Name {
			s.Explain = func() *Explained { return m.explain(snap, &sh.env) }
		}
	}
	s.Vector, s.Models = map[string]any{}, map[string]float64{}
	for _, c := range topo.FeatureCols {
		if c.Kind == schemas.Str {
			s.Vector[c.Name] = string(sh.env.Str[c.Slot])
		} else if v := sh.env.Num[c.Slot]; math.IsNaN(v) || math.IsInf(v, 0) {
			s.Vector[c.Name] = nil
		} else {
			s.Vector[c.Name] = v
		}
	}
	for _, m := range topo.Models {
		if v := m.of(topo, &sh.env).score(); v == v {
			s.Models[m.Name] = v
		}
	}
	return s, missing, nil
}

// lend calls f with the entity's state in the task that owns it; false where no task here knows it.
func (e *Engine) lend(p *EntityPlan, sh *Task, f func(own *entityFold, src *features.Entry)) bool {
	key, ok := appendKey(nil, &sh.env, p.KeySl)
	if !ok {
		return false
	}
	for _, o := range e.order {
		if o.task.entity == nil || o.task.entity.plan != p {
			continue
		}
		o.task.mu.Lock()
		en, ok, err := o.task.entity.table.Lookup(key)
		if err == nil && ok {
			f(o.task.entity, en.Val)
		}
		o.task.mu.Unlock()
		if err == nil && ok {
			return true
		}
	}
	return false
}

// Learning returns what the learn stage did and how its models do; nil where its partitions are other processes' or the pipeline has none.
// Of several shards here it is the one that has joined the most examples.
func (e *Engine) Learning() (stats *LearnStats, q []*Quality) {
	e.tasksMu.RLock()
	defer e.tasksMu.RUnlock()
	for _, o := range e.order {
		l := o.task.learn
		if l == nil {
			continue
		}
		if stats != nil && stats.Joined.Load() >= l.Stats.Joined.Load() {
			continue
		}
		stats, q = l.Stats, nil
		for _, m := range l.train.models {
			if v := m.Quality.Load(); v != nil {
				q = append(q, v)
			}
		}
	}
	return stats, q
}
