package streams

// timers is a heap of (due, order, key): what a task must do when its progress reaches a time. It is held in memory and built
// again from the task's map when it opens.
type timers struct {
	heap  []timer
	order uint64
}

type timer struct {
	due   int64
	order uint64
	key   string
}

func (h *timers) reset() { h.heap, h.order = h.heap[:0], 0 }

func (h *timers) add(due int64, order uint64, key string) {
	h.heap = append(h.heap, timer{due, order, key})
	for i := len(h.heap) - 1; i > 0; {
		p := (i - 1) / 2
		if !h.less(i, p) {
			break
		}
		h.heap[i], h.heap[p] = h.heap[p], h.heap[i]
		i = p
	}
}

// prune drops the timers that keep refuses. O(n).
func (h *timers) prune(keep func(timer) bool) {
	old := h.heap
	h.heap = h.heap[:0]
	for _, t := range old {
		if keep(t) {
			h.add(t.due, t.order, t.key)
		}
	}
	clear(old[len(h.heap):])
}

// before returns the first timer that is due before t and takes it out.
func (h *timers) before(t int64) (timer, bool) {
	if len(h.heap) == 0 || h.heap[0].due >= t {
		return timer{}, false
	}
	top := h.heap[0]
	n := len(h.heap) - 1
	h.heap[0] = h.heap[n]
	h.heap[n] = timer{}
	h.heap = h.heap[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h.less(c+1, c) {
			c++
		}
		if !h.less(c, i) {
			break
		}
		h.heap[i], h.heap[c] = h.heap[c], h.heap[i]
		i = c
	}
	return top, true
}

func (h *timers) less(i, j int) bool {
	a, b := &h.heap[i], &h.heap[j]
	return a.due < b.due || a.due == b.due && a.order < b.order
}
