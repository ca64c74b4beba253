package scratch

import (
	"sync"
	"testing"
)

func TestPoolLendsEachOnce(t *testing.T) {
	p := New(4)
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 2000 {
				b := p.Get()
				for i := range *b {
					(*b)[i] = float64(g)
				}
				for _, v := range *b {
					if v != float64(g) {
						t.Error("a slice was lent twice")
						return
					}
				}
				p.Put(b)
			}
		}()
	}
	wg.Wait()
	if n := testing.AllocsPerRun(100, func() { p.Put(p.Get()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
