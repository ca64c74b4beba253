package scratch

import "sync/atomic"

// slots is how many buffers a pool keeps: as many goroutines may predict at once without any allocation.
const slots = 16

// Pool lends slices of one length. The zero value is not usable.
type Pool struct {
	n    int
	free [slots]atomic.Pointer[[]float64]
}

// New returns a pool of slices of n floats; it holds one.
func New(n int) *Pool {
	p := &Pool{n: n}
	b := make([]float64, n)
	p.free[0].Store(&b)
	return p
}

// Get lends a slice, whose contents are what its last user left there. It allocates only when all are lent. O(1).
func (p *Pool) Get() *[]float64 {
	for i := range p.free {
		if b := p.free[i].Load(); b != nil && p.free[i].CompareAndSwap(b, nil) {
			return b
		}
	}
	b := make([]float64, p.n)
	return &b
}

// Put takes a slice back; one more than the pool keeps is dropped.
func (p *Pool) Put(b *[]float64) {
	for i := range p.free {
		if p.free[i].Load() == nil && p.free[i].CompareAndSwap(nil, b) {
			return
		}
	}
}

// Bytes is the memory of what a single-threaded user makes the pool hold.
func (p *Pool) Bytes() int { return 8*p.n + 8*slots + 24 }
