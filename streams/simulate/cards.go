package simulate

// Options of the card payments. The zero value of each means its default.
type Options struct {
	Seed       uint64
	Events     int     // transactions (default 200,000); chargebacks come besides, about 1 %
	Cards      int     // default 5,000, at least 20
	Merchants  int     // default 1,000, at least 64
	StartMs    int64   // event time of the first midnight, Unix ms (default 2026-01-05T00:00:00Z, a Monday); not before 1970-01-02
	Days       int     // event time, about; default 14, more where a card would pay over 6 times a day; at most 3,650
	FraudRate  float64 // share of the transactions (default 0.01, at most 0.5); negative: none
	ShiftAt    float64 // when the pattern of fraud changes, as a share of the days (default 0.5); negative: never
	ShiftRamp  int64   // how long the change takes, ms (default 12 h)
	DisorderMs int64   // largest delay between event time and arrival (default 5,000); negative: none
}

func (o Options) withDefaults() Options {
	o.Events = max(0, orInt(o.Events, 200_000))
	o.Cards = max(20, orInt(o.Cards, 5_000))
	o.Merchants = min(max(64, orInt(o.Merchants, 1_000)), 1<<24)
	if o.StartMs == 0 {
		o.StartMs = 1767571200000
	}
	o.StartMs = max(o.StartMs, day)
	o.Days = min(max(1, orInt(o.Days, max(14, o.Events/(6*o.Cards)))), 3_650)
	if o.FraudRate == 0 {
		o.FraudRate = 0.01
	}
	o.FraudRate = min(max(0, o.FraudRate), 0.5)
	if o.ShiftAt == 0 {
		o.ShiftAt = 0.5
	}
	if o.ShiftRamp <= 0 {
		o.ShiftRamp = 12 * hour
	}
	if o.DisorderMs == 0 {
		o.DisorderMs = 5_000
	}
	o.DisorderMs = max(0, o.DisorderMs)
	return o
}

func orInt(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// Cards generates card payments and the chargebacks on them. Not for concurrent use.
type Cards struct {
	o        Options
	r        rng
	w        *world
	salt     uint64
	shift    int64 // ms, when the pattern begins to change
	made     int   // transactions made
	actors   queue[actor]
	onTheWay queue[pending]
	episodes []episode
	free     []int32
	fraudMs  float64   // fraudulent transactions a ms
	payers   [16]int32 // the cards of the last transactions
}

// New returns a generator at its start. It takes memory of about 200 bytes a card and 100 bytes a merchant.
func New(o Options) *Cards {
	o = o.withDefaults()
	g := &Cards{o: o, r: newRNG(o.Seed), salt: mix(o.Seed + 0x9e3779b97f4a7c15), shift: 1<<63 - 1}
	span := float64(int64(o.Days) * day)
	if o.ShiftAt > 0 {
		g.shift = o.StartMs + int64(float64(span*min(o.ShiftAt, 1)))
	}
	g.w = newWorld(&o, g.r)
	g.actors = queue[actor]{less: sooner, items: make([]actor, 0, o.Cards+64)}
	g.onTheWay = queue[pending]{less: arrivesFirst}
	if o.Events == 0 {
		return g
	}
	for i := range g.w.cards {
		g.actors.push(actor{g.w.cards[i].next(g.r, o.StartMs), int32(i)})
	}
	if g.fraudMs = float64(float64(o.Events)*o.FraudRate) / span; g.fraudMs > 0 {
		g.actors.push(actor{g.nextEpisode(o.StartMs), int32(o.Cards)})
	}
	return g
}

// Options returns the options in force: the defaults filled in.
func (g *Cards) Options() Options { return g.o }

// ShiftMs returns the event time at which the pattern of fraud begins to change; far in the future if it never does.
func (g *Cards) ShiftMs() int64 { return g.shift }

// Next fills e with the next event in order of arrival, and reports whether there was one. After the last transaction come the
// chargebacks that were still to be reported. O(log(cards)), no allocation in steady state.
func (g *Cards) Next(e *Event) bool {
	// What is not made yet arrives no sooner than the next actor acts.
	for g.made < g.o.Events && (len(g.onTheWay.items) == 0 || g.onTheWay.items[0].arrival > g.actors.items[0].ts) {
		g.act()
	}
	if len(g.onTheWay.items) == 0 {
		return false
	}
	p := g.onTheWay.pop()
	e.fill(&p, g.salt)
	return true
}

// act lets the next actor do what it does, and puts it back with the time of its next deed.
func (g *Cards) act() {
	a := &g.actors.items[0]
	ts, id := a.ts, int(a.id)
	switch {
	case id < g.o.Cards:
		c := &g.w.cards[id]
		g.pay(int32(id), ts)
		a.ts = c.next(g.r, ts)
	case id == g.o.Cards:
		a.ts = g.nextEpisode(ts)
		g.actors.sink() // before the push below, which may move a
		g.startEpisode(ts)
		return
	default:
		next, more := g.strike(&g.episodes[id-g.o.Cards-1], ts)
		if !more {
			g.free = append(g.free, int32(id-g.o.Cards-1))
			g.actors.pop()
			return
		}
		a.ts = next
	}
	g.actors.sink()
}

// moved returns how far the change of pattern has come: 0 before, 1 after.
func (g *Cards) moved(ts int64) float64 {
	if ts <= g.shift {
		return 0
	}
	return min(1, float64(ts-g.shift)/float64(g.o.ShiftRamp))
}

// pay is one honest payment.
func (g *Cards) pay(id int32, ts int64) {
	r, c, k := g.r, &g.w.cards[id], g.moved(ts)
	at := c.place(ts)
	var m int32
	factor := 1.0
	if r.chance(0.22 + float64(0.28*k)) { // online
		switch {
		case r.chance(float64(0.06 * k)):
			m = g.newMerchant()
		case r.chance(0.7):
			m = c.online[r.below(len(c.online))]
		default:
			m = g.w.web.draw(r)
		}
		factor = 1 - float64(0.65*k)
	} else if at == c.city && r.chance(0.7) {
		m = c.shops[r.below(len(c.shops))]
	} else {
		m = g.w.local[at].draw(r)
	}
	shop := &g.w.merchants[m]
	shop.visit(id)
	cat := &categories[shop.category]
	lat, lon := c.lat, c.lon
	if at != c.city {
		lat, lon = cities[at].lat, cities[at].lon
	}
	g.emit(ts, id, m, float64(c.scale*r.lognormal(float64(cat.median*factor), cat.sigma)), lat, lon, Honest)
	if ts >= c.awayUntil && r.chance(0.0015) { // leaves for another city
		c.away = g.elsewhere(c.city)
		c.awayUntil = ts + 2*travel + int64(float64(r.uniform(0.5, 5)*float64(day)))
	}
}

// emit makes a transaction and, for some, the chargeback that follows. The position is the payer's: where the card is present,
// the merchant's position is taken instead.
func (g *Cards) emit(ts int64, card, shop int32, amount float64, lat, lon int32, f Fraud) {
	r, m := g.r, &g.w.merchants[shop]
	ch := categories[m.category].channel
	cents := int32(float64(min(max(amount, 0.01), 20_000)*100) + 0.5)
	switch ch {
	case pos, atm:
		lat, lon = m.lat, m.lon
	default:
		lat, lon = near(r, lat, lon, 700)
	}
	if ch == atm {
		cents = max(1, (cents+500)/1000) * 1000 // notes
	}
	delay := int64(r.below(300))
	if r.chance(0.15) {
		delay = int64(r.below(int(g.o.DisorderMs) + 1))
	}
	p := pending{arrival: ts + min(delay, g.o.DisorderMs), ts: ts, seq: uint64(g.made), card: card, merchant: shop, cents: cents, lat: lat, lon: lon,
		channel: ch, country: cities[m.city].country, fraud: f}
	g.payers[g.made%len(g.payers)] = card
	g.made++
	g.onTheWay.push(p)

	reason := -1
	if u := r.unit(); f != Honest && u < 0.97 {
		reason = firstParty + int(f)
	} else if f == Honest && u < 0.0004 {
		reason = dispute
		if u < 0.0001 {
			reason = firstParty
		}
	}
	if reason >= 0 { // 1 to 72 h later, log-uniform
		wait := exp(float64(r.unit() * ln(72)))
		p.ts = ts + int64(float64(wait*float64(hour)))
		p.arrival, p.reason = p.ts, uint8(1+reason)
		g.onTheWay.push(p)
	}
}

// newMerchant returns one of those that open when the pattern shifts.
func (g *Cards) newMerchant() int32 { return int32(g.r.between(g.w.opened, g.o.Merchants-1)) }

// elsewhere returns a city other than the given one.
func (g *Cards) elsewhere(home uint8) uint8 {
	c := uint8(g.r.below(len(cities) - 1))
	if c >= home {
		c++
	}
	return c
}
