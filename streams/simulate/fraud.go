package simulate

// episode is a run of fraudulent payments by one fraudster.
type episode struct {
	kind     Fraud
	left     int32 // payments still to come
	big      int32 // Testing: how many of them are the big ones at the end
	merchant int32
	from     uint8 // city where the fraudster is
	n        int32 // victims
	victims  [12]int32
}

// maxEpisodes bounds those that go on at one time; beyond it, new ones do not start.
const maxEpisodes = 4096

// pattern of each kind: its share of the fraudulent transactions before the shift and after it, and its mean length.
var patterns = [Frauds]struct{ before, after, length float64 }{
	Stolen:      {0.35, 0.08, 7},
	Compromised: {0.25, 0.07, 14},
	Testing:     {0.20, 0.05, 6},
	Takeover:    {0.20, 0.05, 4.5},
	Night:       {0, 0.75, 20},
}

// begins returns how many episodes of each kind begin per fraudulent transaction, and their sum.
func (g *Cards) begins(ts int64) (p [Frauds]float64, sum float64) {
	k := g.moved(ts)
	for f := Stolen; f < Frauds; f++ {
		share := float64(patterns[f].before*(1-k)) + float64(patterns[f].after*k)
		p[f] = share / patterns[f].length
		sum += p[f]
	}
	return p, sum
}

// nextEpisode returns when the next episode begins, a Poisson process.
func (g *Cards) nextEpisode(ts int64) int64 {
	_, sum := g.begins(ts)
	return ts + 1 + int64(min(g.r.exp()/float64(g.fraudMs*sum), 1e15))
}

// startEpisode chooses the kind, the victims and the place.
func (g *Cards) startEpisode(ts int64) {
	r := g.r
	p, sum := g.begins(ts)
	u, kind := float64(r.unit()*sum), Stolen
	for ; kind < Night && u >= p[kind]; kind++ {
		u -= p[kind]
	}
	slot := len(g.episodes)
	switch n := len(g.free); {
	case n > 0:
		slot = int(g.free[n-1])
		g.free = g.free[:n-1]
	case slot == maxEpisodes:
		return
	default:
		g.episodes = append(g.episodes, episode{})
	}
	e := &g.episodes[slot]
	*e = episode{kind: kind, n: 1, victims: [12]int32{g.anyCard()}}
	victim := &g.w.cards[e.victims[0]]
	e.from = g.elsewhere(victim.place(ts))
	first := ts + int64(r.between(1, int(10*minute)))
	switch kind {
	case Stolen: // just after its holder paid with it
		e.left = int32(r.between(4, 10))
		if n := min(g.made, len(g.payers)); n > 0 {
			e.victims[0] = g.payers[r.below(n)]
			e.from = g.elsewhere(g.w.cards[e.victims[0]].place(ts))
			first = ts + int64(r.between(1, int(5*minute)))
		}
	case Compromised:
		e.left = int32(r.between(8, 20))
		g.leak(e)
	case Testing:
		e.big = int32(r.between(1, 2))
		e.left = e.big + int32(r.between(3, 6))
		e.merchant = g.w.web.draw(r)
	case Takeover:
		e.left = int32(r.between(3, 6))
	case Night:
		e.left = int32(r.between(10, 30))
		e.merchant = g.newMerchant()
		// The next night, which most of the cities share: it begins between 0:00 and 3:00 UTC, and ends before 6:00.
		first = (ts/day+1)*day + int64(r.below(int(3*hour)))
	}
	g.actors.push(actor{first, int32(g.o.Cards + 1 + slot)})
}

// leak chooses a merchant that leaks its customers' cards: a busy one with several recent visitors.
func (g *Cards) leak(e *episode) {
	for range 50 {
		// The last shop of some card is a merchant in proportion to its customers.
		c := &g.w.cards[g.anyCard()]
		e.merchant = c.shops[g.r.below(len(c.shops))]
		m := &g.w.merchants[e.merchant]
		e.n = 0
		for i := range min(int(m.visits), len(m.visitors)) {
			if int(e.n) < len(e.victims) {
				e.victims[e.n] = m.visitors[i]
				e.n++
			}
		}
		if e.n >= 6 {
			return
		}
	}
	if e.n == 0 { // at the very start nobody has been anywhere
		e.n = 1
	}
}

// anyCard returns a card, the busy ones more often.
func (g *Cards) anyCard() int32 { return g.w.active[g.w.activity.draw(g.r)] }

// strike is one payment of an episode. It returns when the next one is, and whether there is one.
func (g *Cards) strike(e *episode, ts int64) (next int64, more bool) {
	r := g.r
	e.left--
	id := e.victims[r.below(int(e.n))]
	if e.kind == Night {
		for range 12 { // somebody who is asleep
			id = g.anyCard()
			if g.w.cards[id].localHour(ts) < 6 {
				break
			}
		}
	}
	c := &g.w.cards[id]
	shop, amount := e.merchant, 0.0
	lat, lon := cities[e.from].lat, cities[e.from].lon
	var gap int64
	switch e.kind {
	case Stolen:
		shop = g.w.local[e.from].draw(r)
		amount = float64(float64(c.scale*40) * r.uniform(1.5, 4))
		gap = int64(r.between(60, 360)) * second
	case Compromised:
		if !r.chance(0.6) {
			shop = g.w.local[g.w.merchants[shop].city].draw(r)
		}
		amount = float64(float64(c.scale*categories[g.w.merchants[shop].category].median) * r.uniform(1.2, 3))
		gap = 2*minute + int64(float64(r.exp()*float64(40*minute)))
	case Testing:
		if e.left >= e.big {
			amount = r.uniform(0.5, 2)
			gap = int64(r.between(20, 90)) * second
			if e.left == e.big {
				gap = int64(r.between(5, 20)) * minute
			}
			break
		}
		shop = g.w.web.ids[r.below(len(g.w.web.ids))]
		amount = float64(float64(c.scale*40) * r.uniform(5, 10))
		gap = int64(r.between(5, 20)) * minute
	case Takeover: // merchants by chance, not by popularity: the card has hardly been there
		shop = g.w.web.ids[r.below(len(g.w.web.ids))]
		amount = float64(float64(c.scale*32) * r.uniform(2, 5))
		if r.chance(0.5) {
			lat, lon = c.lat, c.lon // through a proxy near the victim
		}
		gap = int64(r.between(20, 150)) * minute
	case Night:
		amount = r.uniform(8, 35)
		lat, lon = c.lat, c.lon
		gap = int64(r.between(60, 300)) * second
	}
	g.emit(ts, id, shop, amount, lat, lon, e.kind)
	return ts + gap, e.left > 0
}
