package streams

import (
	"freshet/features/expr"
)

// derivedDecl is one derived value.
type derivedDecl struct {
	name string
	path string
	x    *expression
	col  int // in the events' row
	mark uint8
}

func (d *derivedDecl) isBool() bool {
	return d.x != nil && d.x.prog != nil && d.x.prog.Kind() == expr.Bool
}

// declareDerived makes their names known, so that every other expression may use them.
func (c *compiler) declareDerived() {
	for i := range c.p.Derived {
		n := &c.p.Derived[i]
		d := &derivedDecl{name: n.Name, path: "derived." + n.Name}
		c.derived = append(c.derived, d)
		c.byName[n.Name] = d
	}
}

func (c *compiler) parseDerived() {
	for i, d := range c.derived {
		d.x = c.parse(d.path, c.p.Derived[i].V, c.ev, everything, expr.Num)
	}
}

// buildDerived compiles them in the order in which they need each other.
func (c *compiler) buildDerived() {
	var chain []*derivedDecl
	var visit func(d *derivedDecl)
	visit = func(d *derivedDecl) {
		switch d.mark {
		case 1:
			var loop []string
			for i := len(chain) - 1; i >= 0; i-- {
				loop = append([]string{chain[i].name}, loop...)
				if chain[i] == d {
					break
				}
			}
			if !c.spoilt(d.path) {
				c.add(c.at.value(d.path), d.path, "", "cyclic: %s", quoteAll(append(loop, d.name)))
			}
			return
		case 2:
			return
		}
		d.mark = 1
		chain = append(chain, d)
		if d.x != nil {
			for _, name := range d.x.e.Names() {
				if next, ok := c.named(d.x, name).(*derivedDecl); ok {
					visit(next)
				}
			}
		}
		chain = chain[:len(chain)-1]
		d.mark = 2
		if prog := c.build(d.x); prog != nil {
			c.top.Derived = append(c.top.Derived, DerivedPlan{Name: d.name, Prog: prog, Out: c.slot(c.ev, d.col)})
		}
	}
	for _, d := range c.derived {
		visit(d)
	}
}

func (c *compiler) declareRules() {
	for i := range c.p.Rules {
		r := &c.p.Rules[i]
		path := itemPath("rules", i)
		if r.When == "" && !c.spoilt(path+".when") {
			c.add(c.at.value(path), path+".when", "", "missing: expected a condition")
		}
		if r.Then.Reason == "" && !c.spoilt(path+".then") && !c.spoilt(path+".then.reason") {
			c.add(c.at.value(path), path+".then.reason", "", "missing: expected a word that says why")
		}
		if s := r.Then.Score; !(s >= 0 && s <= 1) {
			c.bad1(path+".then.score", "%v: expected a score from 0 to 1", s)
		}
		c.rules = append(c.rules, c.parse(path+".when", r.When, c.ev, everything, expr.Bool))
	}
}

func (c *compiler) buildRules() {
	for i, x := range c.rules {
		if prog := c.build(x); prog != nil {
			then := c.p.Rules[i].Then
			c.top.Rules = append(c.top.Rules, RulePlan{When: prog, Score: then.Score, Reason: then.Reason})
		}
	}
}
