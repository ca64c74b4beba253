package streams

import (
	"fmt"
	"maps"
	"strings"

	"freshet/features/expr"
	"freshet/learners"
	"freshet/learners/drift"
	"freshet/learners/param"
)

// parseLearner reads a model's learner: its text, with the parameters that stand beside it in the file.
func parseLearner(s *ModelSpec) (learners.Spec, error) {
	name, raw, err := mergeParams(s.Learner, s.Params)
	if err != nil {
		return learners.Spec{}, fmt.Errorf("learner %w", err)
	}
	return learners.FromMap(name, raw)
}

// parseDetector is parseLearner for a watch. The detector of features, psi by time, is not from the registry.
func parseDetector(w *Watch) (drift.Spec, error) {
	name, raw, err := mergeParams(w.Detector, w.Params)
	if err != nil {
		return drift.Spec{}, fmt.Errorf("detector %w", err)
	}
	return drift.FromMap(name, raw)
}

func mergeParams(text string, params map[string]any) (string, map[string]any, error) {
	name, raw, err := param.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", nil, err
	}
	for k := range params {
		if _, twice := raw[k]; twice {
			return "", nil, fmt.Errorf("%q: parameter %s is given twice", text, k)
		}
	}
	maps.Copy(raw, params)
	return name, raw, nil
}

// plugIn is what is chosen from a registry by a text and parameters beside it.
type plugIn struct {
	path, key string // models.champion, learner
	text      string
	params    map[string]any
	names     []string
	table     func(name string) []param.Param
	keys      any // the struct whose keys the parameters stand beside
}

// checkPlugIn checks the name and every parameter, each at its place.
func (c *compiler) checkPlugIn(p plugIn) (name string, ok bool) {
	path := p.path + "." + p.key
	if c.spoilt(path) {
		return "", false
	}
	at := c.at.value(path)
	if p.text == "" {
		c.add(c.at.key(p.path), path, "", "missing: %s", oneOf(p.names))
		return "", false
	}
	name, raw, err := param.Parse(strings.TrimSpace(p.text))
	if err != nil {
		c.add(at, path, "", "%v", err)
		return "", false
	}
	if index(p.names, name) < 0 {
		c.unknown(path, p.key, name, p.names)
		return "", false
	}
	table := p.table(name)
	var known []string
	for _, t := range table {
		known = append(known, t.Name)
	}
	ok = true
	check := func(at, keyAt place, path, key string, v any) {
		if c.spoilt(path) && path != p.path+"."+p.key {
			ok = false
			return
		}
		if index(known, key) < 0 {
			ok = false
			all := known
			if path != p.path+"."+p.key { // beside the learner: it may be a misspelt key of the model
				all = append(append([]string(nil), known...), keysOf(p.keys)...)
			}
			c.add(keyAt, path, expr.Nearest(key, all), "%s has no parameter %q, %s", name, cut(key), oneOf(known))
			return
		}
		if _, err := param.Resolve(name, table, map[string]any{key: v}); err != nil {
			ok = false
			c.add(at, path, "", "%v", err)
		}
	}
	for _, key := range sortedKeys(raw) {
		if _, twice := p.params[key]; twice {
			c.add(at, path, "", "parameter %s is given twice: in the text and beside it", key)
			ok = false
			continue
		}
		check(at, at, path, key, raw[key])
	}
	for _, key := range sortedKeys(p.params) {
		beside := p.path + "." + key
		check(c.at.value(beside), c.at.key(beside), beside, key, p.params[key])
	}
	return name, ok
}

func keysOf(v any) []string {
	var names []string
	for _, f := range fieldsOf(typeOf(v)) {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// checkLearner says what a model's learner can do; all false after a mistake.
func (c *compiler) checkLearner(path string, s *ModelSpec) (classifies, regresses bool) {
	var names []string
	for _, e := range learners.Registry() {
		names = append(names, e.Name)
	}
	name, ok := c.checkPlugIn(plugIn{path: path, key: "learner", text: s.Learner, params: s.Params, names: names, keys: *s,
		table: func(name string) []param.Param {
			e, _ := learners.Lookup(name)
			return e.Params
		}})
	if !ok {
		return false, false
	}
	e, err := learners.Lookup(name)
	if err != nil {
		return false, false
	}
	return e.Classifies() || e.Detects(), e.Regresses()
}

// featureDetector is how features are watched: consecutive windows of event time against a reference window.
const featureDetector = "psi"

// checkDetector checks a watch's detector.
func (c *compiler) checkDetector(path string, s *Watch, features bool) {
	table := map[string][]param.Param{}
	var names []string
	if features {
		names = []string{featureDetector}
	} else {
		for _, e := range drift.Registry() {
			names = append(names, e.Name)
			table[e.Name] = e.Params
		}
	}
	c.checkPlugIn(plugIn{path: path, key: "detector", text: s.Detector, params: s.Params, names: names, keys: *s,
		table: func(name string) []param.Param { return table[name] }})
}
