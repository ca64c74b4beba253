package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
	"freshet/learners/param"
	"freshet/learners/wire"
)

// seasonalEntry is a function because it needs the table that it stands in.
func seasonalEntry() Entry {
	return Entry{
		Name:      "seasonal",
		Doc:       "Another detector on what is left of values after the mean and deviation of their place in a season are taken out.",
		Reference: "own; exponential seasonal smoothing: Winters 1960",
		Alarms:    2,
		Params: []param.Param{
			{Name: "detector", Kind: param.Learner, Default: "robust", Doc: "what watches the rest"},
			{Name: "period", Kind: param.Int, Default: "168", Min: 1, Max: 1e5, Doc: "places in a season: 168 hours of a week, 24 of a day"},
			{Name: "seasons", Kind: param.Int, Default: "2", Min: 1, Max: 1000, Doc: "values of a place before the first is watched"},
			{Name: "memory", Kind: param.Int, Default: "64", Min: 2, Max: 1e6, Doc: "values of a place that its mean remembers, about"},
		},
		make: func(v param.Values) (Detector, error) {
			inner, err := Parse(v.Text("detector"))
			if err != nil {
				return nil, err
			}
			return NewSeasonal(SeasonalOptions{Detector: inner, Period: v.Int("period"), Seasons: v.Int("seasons"), Memory: v.Int("memory")})
		},
	}
}

// SeasonalOptions are the parameters of Seasonal. The zero value of each is the default named with it.
type SeasonalOptions struct {
	Detector Spec  // what watches the rest: robust
	Period   int   // places in a season: 168
	Seasons  int   // values of a place before the first is watched: 2
	Memory   int   // values of a place that its mean remembers, about: 64
	PlaceMs  int64 // for UpdateAt: length of a place in event time: an hour
}

// Seasonal holds a value against the same place of earlier seasons (the same hour of the week): it takes out the place's
// running mean, in the deviation of all rests, and hands the rest on. So a night that is as quiet as every night is no drift. O(1)
// besides the detector; two floats a place.
type Seasonal struct {
	o     SeasonalOptions
	inner Detector
	n     uint64    // for Update: values so far
	count []float64 // by place, up to Memory
	mean  []float64
	rest  moment // of all rests so far, with Memory seasons of memory
}

// NewSeasonal returns a detector.
func NewSeasonal(o SeasonalOptions) (*Seasonal, error) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Period, 168)
	def(&o.Seasons, 2)
	def(&o.Memory, 64)
	if o.PlaceMs == 0 {
		o.PlaceMs = 3600e3
	}
	if o.Detector.Entry.Name == "" {
		s, err := Parse("robust")
		if err != nil {
			return nil, err
		}
		o.Detector = s
	}
	if o.Period < 1 || o.Period > 1<<20 || o.Seasons < 1 || o.Memory < 2 || o.PlaceMs < 1 {
		return nil, fmt.Errorf("seasonal: period %d (expected from 1), seasons %d (from 1), memory %d (from 2), place of %d ms (from 1)", o.Period, o.Seasons, o.Memory, o.PlaceMs)
	}
	inner, err := o.Detector.New()
	if err != nil {
		return nil, err
	}
	return &Seasonal{o: o, inner: inner, count: make([]float64, o.Period), mean: make([]float64, o.Period)}, nil
}

// Reset forgets everything.
func (s *Seasonal) Reset() {
	s.inner.Reset()
	s.n, s.rest = 0, moment{}
	clear(s.count)
	clear(s.mean)
}

// Update takes in the value of the next place: values come at even steps, Period to a season, none missing.
func (s *Seasonal) Update(v float64) Signal {
	if v, ok := numeric.Tame(v); ok {
		place := int(s.n % uint64(s.o.Period))
		s.n++
		return s.place(place, v)
	}
	return None
}

// UpdateAt takes in a value of an event time, in Unix milliseconds; PlaceMs and Period say what its place is. Places are
// counted from Thursday 1970-01-01, so 168 hours are those of the week in UTC.
func (s *Seasonal) UpdateAt(v float64, ms int64) Signal {
	v, ok := numeric.Tame(v)
	if !ok {
		return None
	}
	q := ms / s.o.PlaceMs
	if ms%s.o.PlaceMs < 0 {
		q--
	}
	p := q % int64(s.o.Period)
	if p < 0 {
		p += int64(s.o.Period)
	}
	return s.place(int(p), v)
}

func (s *Seasonal) place(p int, v float64) Signal {
	known := s.count[p] >= float64(s.o.Seasons)
	rest := v - s.mean[p]
	s.count[p] = min(s.count[p]+1, float64(s.o.Memory))
	s.mean[p] += rest / s.count[p]
	if !known {
		return None
	}
	z := 0.0
	if sd := math.Sqrt(s.rest.variance()); rest != 0 {
		z = min(max(rest/max(sd, 1e-300), -1e9), 1e9)
	}
	// A mean of few values is itself unsure: that much smaller is the rest of a young place held to be.
	n := s.count[p] - 1
	z *= math.Sqrt(n / (n + 1))
	ready := s.rest.n >= float64(s.o.Period)
	s.forget()
	s.rest.add(rest)
	if !ready {
		return None
	}
	return s.inner.Update(z)
}

// forget bounds the memory of the rests.
func (s *Seasonal) forget() {
	if most := float64(s.o.Memory) * float64(s.o.Period); s.rest.n > most {
		s.rest.dev *= most / s.rest.n
		s.rest.n = most
	}
}

// Explain returns what the detector within says; means are in standard deviations from the season's.
func (s *Seasonal) Explain() Detail {
	if e, ok := s.inner.(Explainer); ok {
		return e.Explain()
	}
	return Detail{}
}

// AppendBinary appends the state.
func (s *Seasonal) AppendBinary(dst []byte) ([]byte, error) {
	inner, err := s.inner.AppendBinary(nil)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = wire.Uint(wire.Begin(dst, "seasonal", 1), s.n)
	dst = wire.Floats(wire.Floats(dst, s.count), s.mean)
	dst = wire.String(s.rest.append(dst), string(inner))
	return wire.Seal(dst, start), nil
}

// UnmarshalBinary replaces the state.
func (s *Seasonal) UnmarshalBinary(data []byte) error {
	r, _, err := wire.Open(data, "seasonal", 1)
	if err != nil {
		return err
	}
	n, err := NewSeasonal(s.o)
	if err != nil {
		return err
	}
	n.n = r.Uint(1 << 62)
	r.FloatsInto(n.count)
	r.FloatsInto(n.mean)
	n.rest = readMoment(r)
	inner := r.Bytes(1 << 30)
	for _, c := range n.count {
		if !(c >= 0 && c <= float64(s.o.Memory)) {
			r.Fail("a place has %v values", c)
			break
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	if err := n.inner.UnmarshalBinary(inner); err != nil {
		return err
	}
	*s = *n
	return nil
}
