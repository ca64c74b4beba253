package wrap

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/scale"
	"freshet/learners/wire"
)

// Costs are the costs of saying class k where class j is true, row by row: costs[j*classes+k]. Right answers mostly cost
// 0.
type Costs struct {
	classes int
	cost    []float64
}

// NewCosts returns a table of classes² finite costs.
func NewCosts(classes int, costs []float64) (*Costs, error) {
	if classes < 2 || len(costs) != classes*classes {
		return nil, fmt.Errorf("costs: %d numbers for %d classes, expected a square of at least 2", len(costs), classes)
	}
	for _, c := range costs {
		if !(math.Abs(c) <= numeric.Limit) {
			return nil, fmt.Errorf("costs: %v is not a finite cost", c)
		}
	}
	return &Costs{classes: classes, cost: append([]float64(nil), costs...)}, nil
}

// Decide returns the class whose expected cost under the probabilities p is least, the first of equals. The
// probabilities should be calibrated: the decision is only as good as they are (Elkan 2001). O(classes²), no allocation.
func (c *Costs) Decide(p []float64) (class int, expected float64) {
	expected = math.Inf(1)
	for k := range c.classes {
		e := 0.0
		for j, v := range p[:c.classes] {
			e += float64(v * c.cost[j*c.classes+k])
		}
		if e < expected {
			class, expected = k, e
		}
	}
	return class, expected
}

// CostThreshold finds on the way the threshold of a score in [0, 1] above which an alert costs least, from what false
// alarms and missed cases cost: for scores that are not calibrated. It counts recent labelled scores in 96 bins by
// log-odds, older ones fading.
type CostThreshold struct {
	alarm, miss float64
	b           bins
	at          float64
}

// NewCostThreshold returns one that starts where calibrated scores would have it, at alarm/(alarm+miss). memory is over
// how many labelled scores it looks back: 0 means 10,000.
func NewCostThreshold(alarm, miss, memory float64) (*CostThreshold, error) {
	if memory == 0 {
		memory = 10_000
	}
	if !(alarm > 0 && alarm <= 1e15) || !(miss > 0 && miss <= 1e15) || !(memory >= 10 && memory <= 1e9) {
		return nil, fmt.Errorf("cost threshold: a false alarm costs %v, a miss %v (expected above 0, at most 1e15), memory %v (10 to 1e9)", alarm, miss, memory)
	}
	return &CostThreshold{alarm: alarm, miss: miss, b: newBins(memory), at: alarm / (alarm + miss)}, nil
}

// Threshold is the score above which to alert.
func (t *CostThreshold) Threshold() float64 { return t.at }

// Learn takes in what a score turned out to be. O(1), and every 32 examples O(96).
func (t *CostThreshold) Learn(score float64, positive bool) {
	if !(score >= 0 && score <= 1) {
		return
	}
	if t.b.add(score, positive, 1); t.b.since >= refit {
		t.b.since = 0
		t.find()
	}
}

// find goes through the edges between bins from the top: everything above alerts.
func (t *CostThreshold) find() {
	missed := 0.0
	for _, h := range t.b.hits {
		missed += float64(h * t.miss)
	}
	cost, least := missed, missed
	t.at = 1
	for i := binCount - 1; i >= 0; i-- {
		cost += float64((t.b.n[i]-t.b.hits[i])*t.alarm) - float64(t.b.hits[i]*t.miss)
		if cost < least {
			least = cost
			t.at = numeric.Sigmoid(float64((float64(i) - binCount/2) * binWidth))
		}
	}
}

// AppendBinary appends the state.
func (t *CostThreshold) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "cost_threshold", 1)
	dst = t.b.append(dst)
	dst = wire.Float(dst, t.at)
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state; on an error it is unchanged.
func (t *CostThreshold) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "cost_threshold", 1)
	if err != nil {
		return err
	}
	n := *t
	n.b.read(r)
	if n.at = r.Finite(); n.at < 0 || n.at > 1 {
		r.Fail("threshold %v", n.at)
	}
	if err := r.Close(); err != nil {
		return err
	}
	*t = n
	return nil
}

// BudgetOptions are the parameters of a Budget. The zero value of each is the default named with it.
type BudgetOptions struct {
	PerDay float64 // required: alerts a day that can be looked at
	Window int     // newest scores that give the quantile: 10,000
	Carry  float64 // days' worth of alerts that may be saved up, or owed: 1
	Hard   bool    // never alert without an alert to spend; else the budget holds on average
}

// Budget raises alerts for the highest scores of a stream so that so many a day are raised, whatever the scores and
// however many there are. The threshold is the quantile of the newest scores that the budget leaves at the rate at which
// they come; alerts saved up or owed lower or raise it, so that in the long run the budget is spent.
//
// Time comes with the events, in milliseconds; one that is earlier than the newest counts as that.
type Budget struct {
	o      BudgetOptions
	scores *scale.Window
	times  []int64 // of the newest scores, a ring
	next   int
	newest int64
	credit float64 // alerts to spend
	alerts uint64
}

const day = 24 * 60 * 60 * 1000

// NewBudget returns a budget that has seen nothing: its first scores raise alerts while a tenth of a day's are there, at most what may be saved.
func NewBudget(o BudgetOptions) (*Budget, error) {
	if o.Window == 0 {
		o.Window = 10_000
	}
	if o.Carry == 0 {
		o.Carry = 1
	}
	if !(o.PerDay > 0 && o.PerDay <= 1e12) || o.Window < 10 || o.Window > scale.MaxWindow || !(o.Carry > 0 && o.Carry <= 1000) {
		return nil, fmt.Errorf("budget: %v alerts a day (expected above 0), window of %d scores (10 to %d), carry of %v days (above 0, at most 1000)",
			o.PerDay, o.Window, scale.MaxWindow, o.Carry)
	}
	return &Budget{o: o, scores: scale.NewWindow(o.Window), times: make([]int64, o.Window), credit: min(o.PerDay/10, max(float64(o.PerDay*o.Carry), 1))}, nil
}

// Threshold is the score above which the next event alerts: +Inf without scores.
func (b *Budget) Threshold() float64 {
	n := b.scores.Len()
	if n == 0 {
		return math.Inf(1)
	}
	span := (float64(b.newest) - float64(b.oldest())) / day
	// Share of events that may alert, at the rate at which they come; before there is a span, the rate is unknown.
	share := b.o.PerDay * span / float64(n)
	share *= numeric.Exp(2 * b.credit / b.most())
	if share >= 1 {
		return math.Inf(-1)
	}
	return b.scores.Upper(1 - share)
}

// most is how many alerts may be saved or owed: at least one, or a budget of less than one a day would never be spent.
func (b *Budget) most() float64 { return max(float64(b.o.PerDay*b.o.Carry), 1) }

func (b *Budget) oldest() int64 {
	if n := b.scores.Len(); n < len(b.times) {
		return b.times[0]
	}
	return b.times[b.next]
}

// Alert reports whether an event with the score, at the time, is one of those to be looked at, and counts it. A score
// that is not finite alerts never. O(log Window), and a move of part of the window; no allocation.
func (b *Budget) Alert(score float64, ms int64) bool {
	if b.scores.Len() == 0 {
		b.newest = ms
	}
	if ms > b.newest {
		b.credit = min(b.credit+float64(b.o.PerDay*((float64(ms)-float64(b.newest))/day)), b.most())
		b.newest = ms
	}
	if !(math.Abs(score) <= math.MaxFloat64) {
		return false
	}
	at := b.Threshold()
	// Scores at the threshold itself, where many are equal, spend what has been saved only.
	alert := score > at || score == at && b.credit >= 1
	alert = alert && (!b.o.Hard || b.credit >= 1)
	if alert {
		b.credit = max(b.credit-1, -b.most())
		b.alerts++
	}
	b.scores.Add(score)
	b.times[b.next] = b.newest
	if b.next++; b.next == len(b.times) {
		b.next = 0
	}
	return alert
}

// Alerts is how many there were.
func (b *Budget) Alerts() uint64 { return b.alerts }

// Bytes is the memory of the state.
func (b *Budget) Bytes() int { return b.scores.Bytes() + 8*len(b.times) + 128 }

// AppendBinary appends the state.
func (b *Budget) AppendBinary(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = wire.Begin(dst, "alert_budget", 1)
	dst = wire.Uint(dst, uint64(b.o.Window))
	dst = wire.Int(dst, b.newest)
	dst = wire.Float(dst, b.credit)
	dst = wire.Uint(dst, b.alerts)
	dst = b.scores.Append(dst)
	for i := range b.scores.Len() {
		dst = wire.Int(dst, b.times[(b.next-b.scores.Len()+i+len(b.times))%len(b.times)])
	}
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state by that of a budget of the same window; on an error it is unchanged.
func (b *Budget) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "alert_budget", 1)
	if err != nil {
		return err
	}
	n, err := NewBudget(b.o)
	if err != nil {
		return err
	}
	if w := r.Count(scale.MaxWindow); r.Err() == nil && w != b.o.Window {
		r.Fail("window: the bytes have %d, this budget %d", w, b.o.Window)
	}
	n.newest, n.credit, n.alerts = r.Int(), r.Finite(), r.Uint(1<<63)
	n.credit = min(max(n.credit, -n.most()), n.most()) // the budget may have changed
	n.scores.Read(r)
	last := int64(math.MinInt64)
	for i := 0; i < n.scores.Len() && r.Err() == nil; i++ {
		t := r.Int()
		if t < last || t > n.newest {
			r.Fail("times of scores do not rise")
		}
		last = t
		n.times[i] = t
	}
	n.next = n.scores.Len() % len(n.times)
	if err := r.Close(); err != nil {
		return err
	}
	*b = *n
	return nil
}
