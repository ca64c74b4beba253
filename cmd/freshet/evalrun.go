package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"freshet/learners"
	"freshet/learners/contract"
	"freshet/learners/evaluate"
	"freshet/learners/param"
)

// contestant is one learner of an evaluation.
type contestant struct {
	text, spec string // as given, and with all that differs from defaults
	seed       int    // with --seeds
	model      learners.Model
	classifier learners.Classifier
	regressor  learners.Regressor
	scores     *scoreboard
	test       *evaluate.Sequential // against the first learner
	cpu        float64              // seconds in predicting and learning
	predictNs  float64              // of one prediction, with the final model
}

// newContestants makes the learners; with seeds > 1 those that have a seed come once for each of 1..seeds.
func newContestants(f evalFlags, d *evalData) (list []*contestant, err error) {
	for _, text := range f.learners {
		name, raw, err := param.Parse(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("--learner %w", err)
		}
		spec, err := learners.FromMap(name, raw)
		if err != nil {
			return nil, fmt.Errorf("--learner: %w", err)
		}
		runs := 1
		for _, p := range spec.Entry.Params {
			if p.Name == "seed" {
				runs = max(f.seeds, 1)
			}
		}
		for s := 1; s <= runs; s++ {
			c := &contestant{text: strings.TrimSpace(text), spec: spec.String(), seed: s, scores: newScoreboard(d, f.window)}
			one := spec
			if runs > 1 {
				raw["seed"] = strconv.Itoa(s)
				if one, err = learners.FromMap(name, raw); err != nil {
					return nil, fmt.Errorf("--learner: %w", err)
				}
			}
			if err := c.make(one, d); err != nil {
				return nil, fmt.Errorf("--learner %s: %w", text, err)
			}
			if len(list) > 0 && f.seeds == 1 {
				if c.test, err = evaluate.NewSequential(significance, 1); err != nil {
					return nil, err
				}
			}
			list = append(list, c)
		}
	}
	return list, nil
}

func (c *contestant) make(spec learners.Spec, d *evalData) (err error) {
	switch {
	case d.classes == nil:
		c.regressor, err = spec.NewRegressor(d.in)
		c.model = c.regressor
	default:
		c.classifier, err = spec.NewClassifier(d.in, len(d.classes))
		c.model = c.classifier
	}
	return err
}

// evalChunk rows at most go through one learner, then through the next: side by side in time, so that what disturbs the
// machine disturbs all, and so few switches that caches stay warm. Slow learners get fewer, so that progress shows and an
// interrupt is heard.
const (
	evalChunk = 4096
	leastTurn = 50 * time.Millisecond // of all learners: below it the chunk doubles
	mostTurn  = 500 * time.Millisecond
)

// contest runs test-then-train over all rows: row i is predicted, and then row i-delay is learned. It returns the number
// of rows that all learners have seen, fewer than all when ctx ends.
func contest(ctx context.Context, f evalFlags, d *evalData, list []*contestant, done *atomic.Int64) int {
	runtime.LockOSThread() // CPU time is this thread's
	defer runtime.UnlockOSThread()
	out := make([]float64, evalChunk*max(len(d.classes), 1))
	at, chunk := 0, 256
	for at < d.rows && ctx.Err() == nil {
		end, start := min(at+chunk, d.rows), time.Now()
		for _, c := range list {
			c.chunk(f, d, at, end, out)
			done.Add(int64(end - at))
			if c.test != nil {
				c.versus(d.classes != nil, list[0], at, end)
			}
		}
		at = end
		if took := time.Since(start); took < leastTurn {
			chunk = min(2*chunk, evalChunk)
		} else if took > mostTurn {
			chunk = max(chunk/2, 32)
		}
	}
	for _, c := range list {
		c.timePredict(d, at, out)
	}
	return at
}

func (c *contestant) chunk(f evalFlags, d *evalData, at, end int, out []float64) {
	n, k := d.in.Features, len(d.classes)
	clock := threadCPU
	if f.workers > 1 {
		clock = processCPUNow
	}
	start := clock()
	cb, _ := c.model.(contract.ClassifierBatcher)
	rb, _ := c.model.(contract.RegressorBatcher)
	interval, _ := c.model.(contract.Interval)
	set, _ := c.model.(contract.Set)
	switch {
	case c.classifier != nil && cb != nil && set == nil && f.workers > 1 && f.delay == 0:
		cb.TestThenTrain(d.x[at*n:end*n], d.class[at:end], nil, out[:(end-at)*k], f.workers)
	case c.regressor != nil && rb != nil && interval == nil && f.workers > 1 && f.delay == 0:
		rb.TestThenTrain(d.x[at*n:end*n], d.y[at:end], nil, out[:end-at], f.workers)
	case c.classifier != nil:
		for i := at; i < end; i++ {
			c.classifier.PredictProba(d.row(i), out[(i-at)*k:(i-at+1)*k])
			if set != nil {
				set.PredictSet(d.row(i), c.scores.set)
				c.scores.inSet(d.class[i])
			}
			if j := i - f.delay; j >= 0 {
				c.classifier.Learn(d.row(j), d.class[j], 1)
			}
		}
	default:
		for i := at; i < end; i++ {
			out[i-at] = c.regressor.Predict(d.row(i))
			if interval != nil {
				low, high := interval.PredictInterval(d.row(i))
				c.scores.within(low, high, d.y[i])
			}
			if j := i - f.delay; j >= 0 {
				c.regressor.Learn(d.row(j), d.y[j], 1)
			}
		}
	}
	c.cpu += clock() - start
	c.scores.chunk = c.scores.chunk[:0]
	for i := at; i < end; i++ {
		if k > 0 {
			c.scores.classified(out[(i-at)*k:(i-at+1)*k], d.class[i])
		} else {
			c.scores.estimated(out[i-at], d.y[i])
		}
	}
}

// significance is the level of the tests between learners.
const significance = 0.05

// versus compares a stretch of rows with the first learner's: who was wrong, or of numbers who was closer.
func (c *contestant) versus(classes bool, first *contestant, at, end int) {
	for i, loss := range c.scores.chunk {
		before := first.scores.chunk[i]
		if classes {
			c.test.Update(before, loss)
		} else {
			c.test.Update(closer(loss, before), closer(before, loss))
		}
	}
}

// timePredict measures predictions of the newest rows; they change nothing.
func (c *contestant) timePredict(d *evalData, rows int, out []float64) {
	n := min(rows, 500)
	if n == 0 {
		return
	}
	start, passes := threadCPU(), 0
	for time.Duration((threadCPU()-start)*1e9) < 2*time.Millisecond && passes < 1000 {
		for i := rows - n; i < rows; i++ {
			if c.classifier != nil {
				c.classifier.PredictProba(d.row(i), out[:len(d.classes)])
			} else {
				out[0] = c.regressor.Predict(d.row(i))
			}
		}
		passes++
	}
	c.predictNs = (threadCPU() - start) / float64(passes*n) * 1e9
}

// lockedCPU starts to measure this goroutine's CPU time; the function that it returns says how many seconds there were.
func lockedCPU() func() float64 {
	runtime.LockOSThread()
	start := threadCPU()
	return func() float64 {
		defer runtime.UnlockOSThread()
		return threadCPU() - start
	}
}
