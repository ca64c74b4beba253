// Package conformal says how sure a learner is: intervals that hold the target, and sets that hold the class, as often
// as was asked for, in the long run, whatever the stream does, overall and in each segment.
//
//	x ──► base learner ──► estimate ┐
//	 └──► segments ──► spread, theta ┴─► interval [low, high] ──────────── served
//	                                      │ label comes
//	           window of scores ◄─────────┴─► missed? theta of all, and of x's segments, up; else a little down
//
// Two mechanisms share the work. A window of the newest normalised residuals gives quantiles (split conformal
// prediction, Vovk 2005; Papadopoulos 2002): they have the right shape at once. Feedback on whether the interval held
// the label makes the long-run coverage right without any assumption on the stream (adaptive conformal inference, Gibbs,
// Candès 2021; quantile tracking, Angelopoulos, Candès, Tibshirani 2023). The feedback has one term for all examples and
// one for each segment that an example is in, which may overlap: gradient steps on each balance the misses of each
// (gradient equilibrium, Angelopoulos, Jordan, Tibshirani 2025). A segment that is seen for the first time inherits
// what is known of all.
//
// Labels that come late: an example is scored when it is learned, with the learner of that moment. If its interval was
// judged as it would be now, that would be wiser than the one that was served, and what is served would cover too little
// wherever things move; so Delay says about how many examples are learned in between, and the interval is judged with
// the spread, quantiles and feedback of then (past.go). On a stream whose noise swings, with labels 500 examples late,
// what was served covers 89.6 % with it and 87.6 % without.
//
// Imports contract, numeric, scale, scratch and wire. Start with interval.go; segments.go has the groups.
package conformal
