package streams

import (
	"math"
	"strconv"
	"strings"
	"time"

	"freshet/features/expr"
	"freshet/learners/contract"
	"freshet/schemas"
)

// modelDecl is one model.
type modelDecl struct {
	plan              *ModelPlan
	path              string
	row               int // whose rows bring the target, -1 after a mistake
	target, learnIf   *expression
	baseline          *expression
	features          []string // as written, resolved below
	paths             []string
	featureWants      []any // *featureDecl, *derivedDecl or string
	cols              []int // columns of the events' row, parallel to plan.Cols
	regress, classify bool
}

func (c *compiler) declareModels() {
	for i := range c.p.Models {
		n := &c.p.Models[i]
		s := &n.V
		m := &modelDecl{path: "models." + n.Name, row: -1}
		m.plan = &ModelPlan{Name: n.Name, Spec: s, Index: i, Labels: -1, Silence: math.NaN(), SnapshotMs: s.Snapshot.Millis()}
		c.models = append(c.models, m)
		m.classify, m.regress = c.checkLearner(m.path, s)
		c.modelTask(m)
		c.modelLabels(m)
		c.modelHorizon(m)
		if s.Silence != nil {
			m.plan.Silence = *s.Silence
		}
		if s.Window > 1_000_000 {
			c.bad1(m.path+".window", "%d examples: at most 1000000", s.Window)
		}
		c.modelFeatures(m)
		if s.Baseline != "" && m.classify && !m.regress {
			c.bad1(m.path+".baseline", "a baseline is subtracted from a target that is a number: %s is a classifier", cut(s.Learner))
		}
		m.baseline = c.parse(m.path+".baseline", s.Baseline, c.ev, everything, expr.Num)
	}
	c.modelRoles()
}

// modelTask says whether the target is a number or a class, and of how many.
func (c *compiler) modelTask(m *modelDecl) {
	s := m.plan.Spec
	m.plan.Regression = m.regress && (!m.classify || s.Baseline != "" || s.Task == "regression")
	c.wordIf(m.path+".task", s.Task, "classification", "regression")
	switch {
	case s.Task == "classification" && !m.classify && m.regress:
		c.bad1(m.path+".task", "%s is no classifier", cut(s.Learner))
	case s.Task == "regression" && !m.regress && m.classify:
		c.bad1(m.path+".task", "%s does no regression", cut(s.Learner))
	case s.Task == "classification" && s.Baseline != "":
		c.bad1(m.path+".baseline", "a baseline is subtracted from a target that is a number: the task is classification")
	}
	switch {
	case m.plan.Regression && s.Classes != 0:
		c.bad1(m.path+".classes", "classes belong to classification: the target is a number")
	case s.Classes != 0 && (s.Classes < 2 || s.Classes > 1000):
		c.bad1(m.path+".classes", "%d: expected 2 to 1000", s.Classes)
	}
	c.modelThreshold(m)
	if m.plan.Regression {
		return
	}
	if m.plan.Classes = s.Classes; m.plan.Classes < 2 || m.plan.Classes > 1000 {
		m.plan.Classes = 2
	}
}

// modelThreshold checks how a model of two classes comes to a decision.
func (c *compiler) modelThreshold(m *modelDecl) {
	s := m.plan.Spec
	ways := 0
	for _, w := range []struct {
		key   string
		given bool
		ok    bool
	}{{"threshold", s.Threshold != nil, s.Threshold == nil || *s.Threshold >= 0 && *s.Threshold <= 1},
		{"miss_cost", s.MissCost != 0, s.MissCost >= 0 && s.MissCost <= 1e9}, {"alerts_per_day", s.AlertsPerDay != 0, s.AlertsPerDay >= 0 && s.AlertsPerDay <= 1e9}} {
		path := m.path + "." + w.key
		if !w.given || c.spoilt(path) {
			continue
		}
		switch ways++; {
		case m.plan.Regression || s.Classes > 2:
			c.bad1(path, "%s belongs to a classification of two classes", w.key)
		case !w.ok && w.key == "threshold":
			c.bad1(path, "%v: expected 0 to 1", *s.Threshold)
		case !w.ok:
			c.bad1(path, "expected above 0, at most 1e9")
		case ways > 1:
			c.bad1(path, "expected one of threshold, miss_cost and alerts_per_day")
		}
	}
}

// makeModel makes the untrained learner once, so that what it refuses is a mistake of the file, and asks what it can do.
func (c *compiler) makeModel(m *modelDecl) {
	if !m.classify && !m.regress || c.spoilt(m.path+".learner") || len(m.plan.Cols) == 0 {
		return
	}
	cls, reg, err := m.plan.learner()
	if err != nil {
		c.add(c.at.value(m.path+".learner"), m.path+".learner", "", "%v", err)
		return
	}
	if cls == nil {
		_, m.plan.Interval = reg.(contract.Interval)
	}
}

// modelLabels finds the stream of the target, and its expressions.
func (c *compiler) modelLabels(m *modelDecl) {
	s := m.plan.Spec
	path := m.path + ".labels"
	labels := -1
	made := c.streamsOf(LaterStream, JoinStream)
	switch {
	case c.spoilt(path):
	case s.Labels != "":
		labels = c.stream(path, s.Labels)
	case len(made) == 1:
		labels = c.stream(path, made[0])
	case len(made) == 0:
		c.add(c.at.key(m.path), path, "", "missing: no stream is made by of or join; which one brings the target? %s", oneOf(c.p.Streams.Names()))
	default:
		c.add(c.at.key(m.path), path, "", "missing: several streams could bring the target, %s", oneOf(made))
	}
	if labels == c.ev {
		c.bad1(path, "%s are the events themselves, whose label is not known yet: expected a stream made by of or join, or another topic", c.p.Events)
		labels = -1
	}
	m.plan.Labels = labels
	m.row = c.rowOf(labels)
	if labels >= 0 && m.row >= 0 {
		if src := c.top.Streams[m.row]; src.Kind == SourceStream && src.Spec.ID == "" && !c.spoilt("streams."+src.Name+".id") {
			c.bad1(path, "%s has no id: a label needs the id of its event", src.Name)
		}
	}
	if s.Target == "" && !c.spoilt(m.path+".target") {
		c.add(c.at.key(m.path), m.path+".target", "", "missing: expected an expression over the fields of the label")
	}
	m.target = c.parse(m.path+".target", s.Target, m.row, scope{}, expr.Num)
	m.learnIf = c.parse(m.path+".learn", s.Learn, m.row, scope{}, expr.Bool)
	for _, x := range []*expression{m.target, m.learnIf} {
		if x == nil || m.row < 0 {
			continue
		}
		for _, name := range x.e.Names() {
			if f := c.rows[m.row].fields[name]; f != nil {
				f.label = true
			}
		}
	}
}

func (c *compiler) modelHorizon(m *modelDecl) {
	s := m.plan.Spec
	h := s.Horizon
	if h == 0 && m.plan.Labels >= 0 {
		h = Duration(30 * 24 * time.Hour)
		if l := c.top.Streams[m.plan.Labels]; l.Kind == JoinStream && l.Spec.Within > 0 {
			h = l.Spec.Within + c.joinLateness(m.plan.Labels) // the last label comes when the wait is over
		}
	}
	path := m.path + ".horizon"
	if h.Millis() > maxWindowMs {
		c.bad1(path, "%s is more than 10 years", h)
	}
	if m.plan.Labels >= 0 {
		if l := c.top.Streams[m.plan.Labels]; l.Kind == LaterStream && l.DelayMs > 0 && h.Millis() < l.DelayMs && !c.spoilt("streams."+l.Name+".delay") {
			if s.Horizon == 0 {
				h = Duration(2 * time.Duration(l.DelayMs) * time.Millisecond)
			} else {
				c.bad1(path, "%s is over before any label is known: %s has a delay of %s", h, l.Name, l.Spec.Delay)
			}
		}
	}
	if m.plan.SettleMs = s.Settle.Millis(); m.plan.SettleMs > h.Millis() && !c.spoilt(m.path+".settle") {
		c.bad1(m.path+".settle", "%s is longer than the horizon of %s: no label would be learned", s.Settle, h)
	}
	m.plan.HorizonMs = h.Millis()
	s.Horizon = h
}

// joinLateness is how much later than within a join may emit: until its streams' lateness is over.
func (c *compiler) joinLateness(stream int) Duration {
	ms := int64(0)
	for _, side := range []int{c.joins[stream].left, c.joins[stream].right} {
		if side >= 0 {
			ms = max(ms, c.top.Streams[side].LatenessMs)
		}
	}
	return Duration(time.Duration(ms) * time.Millisecond)
}

// modelFeatures resolves the columns that the model sees.
func (c *compiler) modelFeatures(m *modelDecl) {
	s := m.plan.Spec
	nominal := map[string]bool{}
	for _, n := range s.Nominal {
		nominal[n] = true
	}
	if len(s.Features) == 0 && !c.spoilt(m.path+".features") {
		for _, f := range c.features {
			m.features = append(m.features, f.name)
			m.featureWants = append(m.featureWants, f)
			m.paths = append(m.paths, m.path)
		}
		for _, d := range c.derived {
			m.features = append(m.features, d.name)
			m.featureWants = append(m.featureWants, d)
			m.paths = append(m.paths, m.path)
		}
		if len(m.features) == 0 && !c.within("features") && !c.within("derived") {
			c.add(c.at.key(m.path), m.path+".features", "", "missing: there are neither features nor derived values; expected columns of the event")
		}
	}
	c.count(m.path+".features", len(s.Features), maxFeatures)
	seen := map[any]bool{}
	for i, name := range s.Features {
		path := c.listPath(m.path+".features", i)
		if name == "" || c.spoilt(path) || i >= maxFeatures {
			continue
		}
		x := &expression{stream: c.ev, sees: everything}
		d := c.named(x, name)
		if d == nil {
			names := c.namesFor(x)
			c.add(c.at.value(path), path, expr.Nearest(name, names), "unknown feature %q: expected a feature, a derived value or a field of %s", cut(name), c.p.Events)
			continue
		}
		if seen[d] {
			c.bad1(path, "duplicate feature %q", cut(name))
			continue
		}
		seen[d] = true
		if f, ok := d.(string); ok {
			if m.row == c.ev && m.target != nil && index(m.target.e.Names(), f) >= 0 {
				c.bad1(path, "%s is in the target: the model would see its own label", f)
				continue
			}
			if nominal[name] {
				c.declare(c.ev, f).soft = true
			}
			c.field(c.ev, f, usage{kind: wantAny, at: c.at.value(path), path: path})
		}
		m.features = append(m.features, name)
		m.featureWants = append(m.featureWants, d)
		m.paths = append(m.paths, path)
	}
	for i, n := range s.Nominal {
		path := c.listPath(m.path+".nominal", i)
		if n != "" && !c.spoilt(path) && !c.spoilt(m.path+".features") && index(m.features, n) < 0 {
			c.add(c.at.value(path), path, expr.Nearest(n, m.features), "%q is not among the model's features", cut(n))
		}
	}
}

// listPath is the path of an item of a list that may have been written as one word.
func (c *compiler) listPath(path string, i int) string {
	if c.at != nil {
		if _, list := c.at.values[itemPath(path, i)]; !list {
			return path
		}
	}
	return itemPath(path, i)
}

// modelRoles finds the champion of each target, and the shares of the challengers.
func (c *compiler) modelRoles() {
	champion := map[string]*modelDecl{}
	total := map[string]float64{}
	key := func(m *modelDecl) string { return strconv.Itoa(m.plan.Labels) + "|" + m.plan.Spec.Target }
	for _, m := range c.models {
		s := m.plan.Spec
		c.wordIf(m.path+".role", s.Role, "champion", "challenger")
		if s.Role == "champion" {
			if before := champion[key(m)]; before != nil {
				c.bad1(m.path+".role", "%s is the champion of this target already", before.plan.Name)
			} else {
				champion[key(m)] = m
			}
		}
	}
	for _, m := range c.models {
		s := m.plan.Spec
		if s.Role == "" && champion[key(m)] == nil {
			champion[key(m)] = m
		}
		m.plan.Champion = champion[key(m)] == m
		if m.plan.Champion {
			s.Role = "champion"
		} else if s.Role == "" {
			s.Role = "challenger"
		}
	}
	for _, m := range c.models {
		s := m.plan.Spec
		if !m.plan.Champion && champion[key(m)] == nil && !c.spoilt(m.path+".role") && !c.spoilt("models") {
			c.add(c.at.value(m.path+".role"), m.path+".role", "", "a challenger of nobody: no other model has its target and labels")
		}
		if s.Traffic == "" || c.spoilt(m.path+".traffic") {
			continue
		}
		share, err := strconv.ParseFloat(strings.TrimSuffix(s.Traffic, "%"), 64)
		switch {
		case err != nil || !strings.HasSuffix(s.Traffic, "%") || !(share >= 0 && share <= 100):
			c.bad1(m.path+".traffic", "bad share %q: expected 0%% to 100%%, as in 10%%", cut(s.Traffic))
		case m.plan.Champion:
			c.bad1(m.path+".traffic", "a champion takes what its challengers leave: expected traffic of a challenger")
		default:
			m.plan.Traffic = share / 100
			if total[key(m)] += share; total[key(m)] > 100 {
				c.bad1(m.path+".traffic", "the challengers of this target get %v%% together: at most 100%%", total[key(m)])
			}
		}
	}
}

func (c *compiler) wordIf(path, got string, words ...string) {
	if got != "" {
		c.word(path, got, words...)
	}
}

// buildModels compiles the models' expressions and columns.
func (c *compiler) buildModels() {
	for _, m := range c.models {
		m.plan.Target, m.plan.LearnIf, m.plan.Baseline = c.build(m.target), c.build(m.learnIf), c.build(m.baseline)
		for i, d := range m.featureWants {
			col, name := -1, ""
			switch d := d.(type) {
			case *featureDecl:
				col, name = d.col, d.name
			case *derivedDecl:
				col, name = d.col, d.name
			case string:
				col, name = c.column(c.ev, d, wantAny), d
			}
			l := c.rows[c.ev].layout
			if col < 0 || l == nil {
				continue // reported as an unknown field
			}
			kind := l.Cols[col].Kind
			if kind == schemas.Str || index(m.plan.Spec.Nominal, m.features[i]) >= 0 {
				m.plan.Nominal = append(m.plan.Nominal, len(m.plan.Cols))
			}
			m.plan.Cols = append(m.plan.Cols, ModelCol{Name: name, Kind: kind, Slot: l.Slot[col]})
			m.cols = append(m.cols, col)
		}
		c.makeModel(m)
		m.plan.Slot = predictionSlots(c.top)
		c.top.Models = append(c.top.Models, m.plan)
	}
}
