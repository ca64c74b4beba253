package ensemble

import (
	"fmt"

	"freshet/learners/numeric"
	"freshet/learners/wire"
)

// BoostingOptions are the parameters of online boosting, for Classes of at least 2.
type BoostingOptions struct {
	Options
	Forget float64 // share of the members' counts that each example lets fade: 0; 0.001 follows drift
}

// boosting is AdaBoost on a stream (Oza, Russell 2001): the weight of an example rises from member to member while they
// get it wrong and sinks once they get it right, so that half the weight that a member saw was for errors; members vote
// with the log-odds of being right.
type boosting struct {
	whole
	bo           BoostingOptions
	chance       []numeric.Rand
	right, wrong []float64 // weight of what each member got so before it learned it
	lambda       float64   // of the example that is being learned
}

// NewBoosting returns an untrained ensemble of classifiers.
func NewBoosting(o BoostingOptions) (*Classifier, error) {
	m, err := newBoosting(o)
	if err != nil {
		return nil, err
	}
	return &Classifier{newCore("boosting", m.o, m)}, nil
}

func newBoosting(o BoostingOptions) (*boosting, error) {
	if err := o.Options.fill(); err != nil {
		return nil, err
	}
	if o.Classes < 2 || !(o.Forget >= 0 && o.Forget < 1) {
		return nil, fmt.Errorf("boosting: %d classes (expected at least 2), forget %v (from 0, below 1)", o.Classes, o.Forget)
	}
	b := &boosting{whole: whole{o: o.Options}, bo: o, right: make([]float64, o.Members), wrong: make([]float64, o.Members), lambda: 1}
	seeds := numeric.NewRand(o.Seed)
	for range o.Members {
		m, err := o.make(o.Input, seeds.Uint64())
		if err != nil {
			return nil, err
		}
		b.members = append(b.members, m)
		b.chance = append(b.chance, numeric.NewRand(seeds.Uint64()))
	}
	return b, nil
}

func (b *boosting) fresh() (method, error) { return newBoosting(b.bo) }

// side: the weight goes from member to member.
func (b *boosting) side() int { return 0 }

func (b *boosting) train(i int, x []float64, y, weight float64, vote []float64) {
	if i == 0 {
		b.lambda = 1
	}
	fade := 1 - b.bo.Forget
	b.right[i] *= fade
	b.wrong[i] *= fade
	hit := argmax(vote) == int(y)
	own := b.lambda
	if hit {
		b.right[i] = min(b.right[i]+own, numeric.Limit)
		b.lambda *= (b.right[i] + b.wrong[i]) / (2 * b.right[i])
	} else {
		b.wrong[i] = min(b.wrong[i]+own, numeric.Limit)
		b.lambda *= (b.right[i] + b.wrong[i]) / (2 * b.wrong[i])
	}
	b.lambda = min(b.lambda, 100)
	if k := draw(&b.chance[i], own); k > 0 {
		b.members[i].learn(x, y, float64(weight*k))
	}
}

// draw returns a count from the Poisson distribution of a mean of at most 100, by its products (Knuth).
func draw(r *numeric.Rand, mean float64) float64 {
	limit := numeric.Exp(-mean)
	k := 0.0
	for p := r.Float(); p > limit; p = float64(p * r.Float()) {
		k++
	}
	return k
}

// combine weighs each vote by the log-odds of its member; members that are no better than chance have no say.
func (b *boosting) combine(_, votes, out []float64) {
	k := len(out)
	clear(out)
	total := 0.0
	for i := range b.members {
		odds := (b.right[i] + 1) / (b.wrong[i] + 1)
		if k > 2 {
			odds *= float64(k - 1) // SAMME (Zhu et al. 2009): chance is 1/k
		}
		if odds <= 1 {
			continue
		}
		w := numeric.Log(odds)
		total += w
		for j := range out {
			out[j] += float64(w * votes[i*k+j])
		}
	}
	if total == 0 {
		mean(votes, out, k)
		return
	}
	for j := range out {
		out[j] /= total
	}
}

func (b *boosting) bytes() int { return b.whole.bytes() + 48*len(b.members) }

func (b *boosting) append(dst []byte) ([]byte, error) {
	for i := range b.members {
		dst = appendRand(dst, &b.chance[i])
		dst = wire.Float(dst, b.right[i])
		dst = wire.Float(dst, b.wrong[i])
	}
	return b.whole.append(dst)
}

func (b *boosting) read(r *wire.Reader) {
	for i := range b.members {
		readRand(r, &b.chance[i])
		b.right[i], b.wrong[i] = r.Finite(), r.Finite()
		if b.right[i] < 0 || b.wrong[i] < 0 {
			r.Fail("member %d was right %v and wrong %v", i, b.right[i], b.wrong[i])
		}
	}
	b.whole.read(r)
}
