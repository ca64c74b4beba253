package exchange

import "freshet/learners/flat"

// number adds the output of a regressor; raw is rows by one.
func (g *graph) number(raw string) {
	g.op("Squeeze", "prediction", []string{raw, g.axis1()})
	g.end(12, "prediction", typeDouble, 0)
}

// proba adds the outputs of a classifier; p is the name of rows by classes.
func (g *graph) proba(p string) {
	g.op("Identity", "probabilities", []string{p})
	g.op("ArgMax", "label", []string{p}, attrInt("axis", 1), attrInt("keepdims", 0))
	g.end(12, "label", typeInt64, 0)
	g.end(12, "probabilities", typeDouble, int64(g.classes))
}

// sigmoid turns one raw column into the probabilities of two classes.
func (g *graph) sigmoid(raw string) string {
	one := g.op("Sigmoid", "p1", []string{raw})
	zero := g.op("Sub", "p0", []string{g.doubles("one", []float64{1}, 1), one})
	return g.op("Concat", "both", []string{zero, one}, attrInt("axis", 1))
}

// shares makes votes add up to 1 in each row.
func (g *graph) shares(votes string) string {
	votes = g.op("Max", "votes", []string{votes, g.doubles("least", []float64{1e-300}, 1)})
	sum := g.op("ReduceSum", "votes_sum", []string{votes, g.axis1()}, attrInt("keepdims", 1))
	return g.op("Div", "shares", []string{votes, sum})
}

func (g *graph) softmax(raw string) string {
	return g.op("Softmax", "softmax", []string{raw}, attrInt("axis", 1))
}

// axis1 is the constant 1 that reductions name their axis by.
func (g *graph) axis1() string {
	if !g.hasAxis {
		g.hasAxis = true
		g.longs("axis1", []int64{1}, 1)
	}
	return "axis1"
}

// treeLink adds the link and the outputs of an ensemble.
func (g *graph) treeLink(raw string, e *flat.Ensemble) {
	g.classes = e.Classes
	switch {
	case e.Classes == 0 && e.Link == flat.Exp:
		g.number(g.op("Exp", "exp", []string{raw}))
	case e.Classes == 0:
		g.number(raw)
	case e.Link == flat.Sigmoid:
		g.proba(g.sigmoid(raw))
	case e.Link == flat.Softmax:
		g.proba(g.softmax(raw))
	default:
		g.proba(g.shares(raw))
	}
}
