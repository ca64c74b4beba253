package simulate

// actor is somebody whose next payment is known: a card's holder (id < cards), an episode of fraud, or who starts them.
type actor struct {
	ts int64 // ms, when
	id int32
}

// queue is a binary heap, smallest first. container/heap would box every element.
type queue[T any] struct {
	items []T
	less  func(a, b *T) bool
}

func (q *queue[T]) push(v T) {
	q.items = append(q.items, v)
	i := len(q.items) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q.less(&q.items[i], &q.items[up]) {
			break
		}
		q.items[i], q.items[up] = q.items[up], q.items[i]
		i = up
	}
}

// sink restores the order after the first item has grown.
func (q *queue[T]) sink() {
	i, n := 0, len(q.items)
	for {
		c := 2*i + 1
		if c >= n {
			return
		}
		if c+1 < n && q.less(&q.items[c+1], &q.items[c]) {
			c++
		}
		if !q.less(&q.items[c], &q.items[i]) {
			return
		}
		q.items[i], q.items[c] = q.items[c], q.items[i]
		i = c
	}
}

func (q *queue[T]) pop() T {
	top, n := q.items[0], len(q.items)-1
	q.items[0] = q.items[n]
	q.items = q.items[:n]
	q.sink()
	return top
}

// Ties are broken by ids, so that there is one order.
func sooner(a, b *actor) bool { return a.ts < b.ts || a.ts == b.ts && a.id < b.id }

func arrivesFirst(a, b *pending) bool {
	if a.arrival != b.arrival {
		return a.arrival < b.arrival
	}
	return a.seq < b.seq || a.seq == b.seq && a.reason < b.reason
}
