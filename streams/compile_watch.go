package streams

import (
	"regexp"

	"freshet/features/expr"
	"freshet/schemas"
)

// watchDecl is one drift watch.
type watchDecl struct {
	plan *WatchPlan
	path string
	by   int // column of the events' row, -1 none
}

var watchForm = regexp.MustCompile(`^\s*(?:(features)|(error|prediction|label|feature)\s*\(\s*([^()\s]+)\s*\))\s*$`)

const watchExpected = "error(MODEL), prediction(MODEL), label(MODEL), feature(NAME) or features"

func (c *compiler) declareWatches() {
	seen := map[string]bool{}
	for i := range c.p.Drift {
		s := &c.p.Drift[i]
		w := &watchDecl{path: itemPath("drift", i), by: -1, plan: &WatchPlan{Spec: s, Index: i, Model: -1, BySl: -1}}
		c.watches = append(c.watches, w)
		c.watchWhat(w)
		c.checkDetector(w.path, s, w.plan.What == "feature")
		if s.By != "" && !c.spoilt(w.path+".by") {
			if _, isField := c.named(&expression{stream: c.ev, sees: everything}, s.By).(string); !isField {
				c.bad1(w.path+".by", "%q is not a field of %s", cut(s.By), c.p.Events)
			} else {
				c.field(c.ev, s.By, usage{kind: wantStr, at: c.at.value(w.path + ".by"), path: w.path + ".by"})
			}
		}
		if s.By == "" && s.Segments != 0 {
			c.bad1(w.path+".segments", "segments belongs to by")
		}
		if s.Segments > 10_000 {
			c.bad1(w.path+".segments", "%d: at most 10000", s.Segments)
		}
		if w.plan.What == "feature" {
			c.watchTimes(w)
		} else if w.plan.What != "" {
			for _, k := range []string{"reference", "every", "threshold"} {
				if c.at != nil && c.at.keys[w.path+"."+k] != (place{}) {
					c.bad1(w.path+"."+k, "%s belongs to psi", k)
				}
			}
		}
		key := s.Watch + "|" + s.Detector + "|" + s.By
		if seen[key] && s.Watch != "" {
			c.bad1(w.path+".watch", "duplicate watch of %s with %s", cut(s.Watch), cut(s.Detector))
		}
		seen[key] = true
	}
}

func (c *compiler) watchWhat(w *watchDecl) {
	path := w.path + ".watch"
	if c.spoilt(path) {
		return
	}
	if w.plan.Spec.Watch == "" {
		c.add(c.at.value(w.path), path, "", "missing: expected %s", watchExpected)
		return
	}
	m := watchForm.FindStringSubmatch(w.plan.Spec.Watch)
	if m == nil {
		c.add(c.at.value(path), path, "", "unknown watch %q: expected %s", cut(w.plan.Spec.Watch), watchExpected)
		return
	}
	if m[1] != "" {
		w.plan.What = "feature"
		if len(c.features)+len(c.derived) == 0 && !c.within("features") && !c.within("derived") {
			c.bad1(path, "there are no features to watch")
		}
		return
	}
	if m[2] == "feature" {
		w.plan.What, w.plan.Name = "value", m[3]
		var names []string
		for _, f := range c.features {
			names = append(names, f.name)
		}
		for _, d := range c.derived {
			names = append(names, d.name)
		}
		if index(names, m[3]) < 0 && !c.within("features") && !c.within("derived") {
			c.add(c.at.value(path), path, expr.Nearest(m[3], names), "unknown feature %q: expected a feature or a derived value", cut(m[3]))
		}
		return
	}
	w.plan.What = m[2]
	names := c.p.Models.Names()
	if w.plan.Model = index(names, m[3]); w.plan.Model < 0 && !c.spoilt("models") {
		c.add(c.at.value(path), path, expr.Nearest(m[3], names), "unknown model %q, %s", cut(m[3]), oneOf(names))
	}
}

func (c *compiler) watchTimes(w *watchDecl) {
	s := w.plan.Spec
	switch {
	case c.spoilt(w.path+".every") || c.spoilt(w.path+".reference"):
	case s.Every.Millis() < 1000:
		c.bad1(w.path+".every", "%s: expected at least 1s", s.Every)
	case s.Reference < s.Every:
		c.bad1(w.path+".reference", "%s is shorter than the %s that it is compared with (every)", s.Reference, s.Every)
	case s.Reference.Millis() > maxWindowMs:
		c.bad1(w.path+".reference", "%s is more than 10 years", s.Reference)
	}
	if !(s.Threshold > 0) {
		c.bad1(w.path+".threshold", "%v: expected more than 0", s.Threshold)
	}
}

// buildWatches binds them to columns. Features are watched as the models see them: every column of the vector.
func (c *compiler) buildWatches() {
	l := c.rows[c.ev].layout
	for _, w := range c.watches {
		if w.plan.Spec.By != "" {
			if w.by = c.column(c.ev, w.plan.Spec.By, wantStr); w.by >= 0 {
				w.plan.BySl = l.Slot[w.by]
			}
		}
		c.top.Watches = append(c.top.Watches, w.plan)
	}
}

// watchColumns runs when the vector is known.
func (c *compiler) watchColumns() {
	for _, w := range c.watches {
		for _, v := range c.top.Vector {
			if w.plan.What == "feature" || w.plan.What == "value" && v.Name == w.plan.Name {
				if v.Kind != schemas.Time { // time always moves
					w.plan.Cols = append(w.plan.Cols, ModelCol{Name: v.Name, Kind: v.Kind, Slot: v.Slot})
				}
			}
		}
	}
}
