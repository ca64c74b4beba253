package linear

import (
	"math"

	"freshet/learners/numeric"
)

// maxLogRate is the limit of a Poisson score, the logarithm of the rate: e^230 < numeric.Limit.
const maxLogRate = 230

// slope is the gradient of a regressor's loss by the score s, at the target t.
func (o *Options) slope(s, t, delta float64) float64 {
	e := s - t
	switch o.Loss {
	case Huber:
		return 2 * min(max(e, -delta), delta)
	case QuantileLoss:
		switch {
		case e < 0:
			return -o.Quantile
		case e > 0:
			return 1 - o.Quantile
		}
		return 0
	case Poisson:
		return numeric.Exp(min(s, maxLogRate)) - t
	}
	return 2 * e
}

// fall is the mean gradient on the way that the score takes if it follows the loss downhill for the time h (the
// example's weight) at the speed square (what a gradient of 1 moves the score by). It replaces the gradient times the
// weight: a step by it never passes the loss's minimum, however large rate and weight are, and weight 2 is the same
// as twice weight 1 (Karampatziakis, Langford 2011: importance-invariant updates).
func (o *Options) fall(s, t, delta, h, square float64) float64 {
	way := h * square
	if !(way > 1e-12) {
		return float64(o.slope(s, t, delta) * h)
	}
	e := s - t
	if !(way <= math.MaxFloat64) {
		way = math.MaxFloat64
	}
	switch o.Loss {
	case Huber:
		rest, moved := way, 0.0
		if over := math.Abs(e) - delta; over > 0 {
			straight := over / (2 * delta) // time until the error is delta
			if rest <= straight {
				return math.Copysign(float64(2*delta*h), e)
			}
			rest -= straight
			moved, e = math.Copysign(over, e), math.Copysign(delta, e)
		}
		return (moved + e*(1-numeric.Exp(-2*rest))) / square
	case QuantileLoss:
		g := o.slope(s, t, delta) * h
		reach := math.Abs(e) / square
		return min(max(g, -reach), reach)
	case Poisson:
		// d s/dt = y - e^s has the closed form e^-s(t) = 1/y + (e^-s0 - 1/y) e^-yt.
		u := numeric.Exp(-max(s, -maxLogRate))
		if t > 0 {
			f := numeric.Exp(-t * way)
			u = float64(u*f) + (1-f)/t
		} else {
			u += way
		}
		return (s + numeric.Log(min(max(u, 1e-300), 1e300))) / square
	}
	return e * (1 - numeric.Exp(-2*way)) / square
}

// logFall is fall of the log loss, sign being -1 for class 0 and 1 for class 1: the margin v follows v' = 1/(1+e^v), so
// that v + e^v grows steadily; Newton's method finds where it ends.
func logFall(s, sign, h, square float64) float64 {
	v0 := s * sign
	way := min(h*square, math.MaxFloat64/4)
	e := numeric.Exp(min(v0, 700))
	if !(way > 1e-12) || v0 > 700 {
		return -sign * h / (1 + e)
	}
	aim := v0 + e + way
	v := v0 + way/(1+e)
	if aim > 1 {
		v = min(v, numeric.Log(aim))
	}
	for range 30 {
		e = numeric.Exp(v)
		d := (v + e - aim) / (1 + e)
		v -= d
		if math.Abs(d) <= 1e-10*(1+math.Abs(v)) {
			break
		}
	}
	return -sign * (v - v0) / square
}

// hingeFall is fall of the hinge loss.
func hingeFall(s, sign, h, square float64) float64 {
	miss := 1 - s*sign
	if miss <= 0 {
		return 0
	}
	if h*square <= miss {
		return -sign * h
	}
	return -sign * miss / square
}
