package simulate

const (
	second = int64(1000) // ms
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// city is where people live and shops are.
type city struct {
	lat, lon int32 // 1e-5 degrees
	country  uint8 // into countries
	zone     int8  // hours from UTC, the same all year
}

var countries = [...]string{"DE", "FR", "GB", "ES", "IT", "NL", "PL", "TR", "US", "CA"}

// By size, the largest first: the weights are Zipf's.
var cities = [...]city{
	{5151000, -13000, 2, 0},    // London
	{4886000, 235000, 1, 1},    // Paris
	{5252000, 1340000, 0, 1},   // Berlin
	{4042000, -370000, 3, 1},   // Madrid
	{4190000, 1250000, 4, 1},   // Rome
	{5355000, 999000, 0, 1},    // Hamburg
	{5223000, 2101000, 6, 1},   // Warsaw
	{4814000, 1158000, 0, 1},   // Munich
	{4139000, 217000, 3, 1},    // Barcelona
	{4546000, 919000, 4, 1},    // Milan
	{5237000, 490000, 5, 1},    // Amsterdam
	{4101000, 2898000, 7, 3},   // Istanbul
	{4071000, -7401000, 8, -5}, // New York
	{5348000, -224000, 2, 0},   // Manchester
	{4576000, 484000, 1, 1},    // Lyon
	{4365000, -7938000, 9, -5}, // Toronto
}

// category of merchants: what they cost and how they are paid.
type category struct {
	channel uint8
	percent int     // of the merchants
	median  float64 // amount for a card of scale 1
	sigma   float64 // of the logarithm of the amount
}

var categories = [...]category{
	{pos, 22, 24, 0.5},  // groceries
	{pos, 8, 48, 0.3},   // fuel
	{pos, 18, 22, 0.6},  // restaurants
	{pos, 12, 45, 0.7},  // clothes
	{pos, 8, 110, 0.9},  // electronics
	{atm, 6, 90, 0.5},   // cash
	{moto, 5, 160, 0.8}, // travel, by mail or telephone
	{ecom, 21, 32, 0.8}, // online
	{ecom, 0, 18, 0.6},  // online, opened when the pattern shifts
}

const opensLater = len(categories) - 1

type merchant struct {
	lat, lon int32
	city     uint8
	category uint8
	// The last visitors, for the episodes in which a merchant leaks its customers' cards.
	visitors [16]int32
	visits   uint32
}

func (m *merchant) visit(card int32) {
	m.visitors[m.visits%uint32(len(m.visitors))] = card
	m.visits++
}

type card struct {
	lat, lon  int32 // home
	city      uint8
	away      uint8 // city of the trip
	chrono    int8  // hours that this person is behind others
	scale     float64
	rate      float64 // payments a ms where the hour's weight is 1, on a weekday
	weekend   float64
	awayUntil int64 // ms; before it the card is in city away, and on its way back in the last travel hours
	shops     [8]int32
	online    [4]int32
}

const travel = 10 * hour

// world is everything that does not change: who and where.
type world struct {
	cards     []card
	active    []int32 // rank of activity -> card
	activity  zipf
	merchants []merchant
	opened    int // merchants from this one on open when the pattern shifts
	local     [len(cities)]market
	web       market
}

// market is a set of merchants with their popularity.
type market struct {
	ids  []int32
	rank zipf
}

func (m *market) draw(r rng) int32 { return m.ids[m.rank.draw(r)] }

func newWorld(o *Options, r rng) *world {
	w := &world{cards: make([]card, o.Cards), merchants: make([]merchant, o.Merchants)}
	size := newZipf(len(cities), 0.8, 1)
	w.opened = o.Merchants - max(1, o.Merchants*6/100)
	for i := range w.merchants {
		m := &w.merchants[i]
		switch {
		case i >= w.opened:
			m.category = uint8(opensLater)
		case i < len(cities): // one shop in every city at least
		case i < len(cities)+4: // and somebody online
			m.category = uint8(opensLater - 1)
		default:
			p := r.below(100)
			for p >= categories[m.category].percent {
				p -= categories[m.category].percent
				m.category++
			}
		}
		m.city = uint8(size.draw(r))
		if i < len(cities) {
			m.city = uint8(i)
		}
		m.lat, m.lon = near(r, cities[m.city].lat, cities[m.city].lon, 4000)
		switch categories[m.category].channel {
		case ecom:
			if i < w.opened {
				w.web.ids = append(w.web.ids, int32(i))
			}
		default:
			w.local[m.city].ids = append(w.local[m.city].ids, int32(i))
		}
	}
	for i := range w.local {
		w.local[i].rank = newZipf(len(w.local[i].ids), 0.9, 2)
	}
	w.web.rank = newZipf(len(w.web.ids), 0.9, 2)

	w.active = make([]int32, o.Cards)
	for i := range w.active { // a random permutation, so that the busy cards are spread over the partitions
		j := r.below(i + 1)
		w.active[i] = w.active[j]
		w.active[j] = int32(i)
	}
	w.activity = newZipf(o.Cards, 0.9, max(1, float64(o.Cards)/50))
	perMs := float64(float64(o.Events)*(1-o.FraudRate)) / float64(int64(o.Days)*day)
	for rank, id := range w.active {
		c := &w.cards[id]
		c.city = uint8(size.draw(r))
		c.lat, c.lon = near(r, cities[c.city].lat, cities[c.city].lon, 9000)
		c.chrono = int8(r.between(-1, 3))
		c.scale = r.lognormal(1, 0.5)
		c.weekend = r.uniform(0.6, 1.5)
		c.rate = float64(perMs*w.activity.share(rank)) * 7 / (5 + float64(2*c.weekend))
		for k := range c.shops {
			c.shops[k] = w.local[c.city].draw(r)
		}
		for k := range c.online {
			c.online[k] = w.web.draw(r)
		}
	}
	return w
}

// near returns a position around another; spread is one standard deviation in 1e-5 degrees (about 1.1 m of latitude).
func near(r rng, lat, lon int32, spread float64) (int32, int32) {
	return lat + int32(float64(r.normal()*spread)), lon + int32(float64(r.normal()*spread))
}

// hours holds how much people pay in each hour of their day; the mean is 1.
var hours = [24]float64{0.18, 0.10, 0.07, 0.06, 0.08, 0.18, 0.45, 0.85, 1.15, 1.20, 1.25, 1.40,
	1.75, 1.60, 1.25, 1.25, 1.40, 1.75, 1.90, 1.75, 1.45, 1.15, 0.80, 0.98}

const busiest = 1.90 * 1.5 // the largest weight there can be

// localHour returns the hour of the day where the card lives.
func (c *card) localHour(ts int64) int { return int((ts/hour + int64(cities[c.city].zone) + 24) % 24) }

// weight of an instant for a card: how much likelier a payment is than on average.
func (c *card) weight(ts int64) float64 {
	local := ts + int64(cities[c.city].zone)*hour
	f := hours[((local/hour)-int64(c.chrono)+24)%24]
	if (local/day+3)%7 >= 5 { // day 0 was a Thursday; 0 is Monday
		f = float64(f * c.weekend)
	}
	return f
}

// next returns when the card pays after ts: a Poisson process of varying rate, thinned.
func (c *card) next(r rng, ts int64) int64 {
	gap := 1 / float64(c.rate*busiest)
	for range 500 { // on average 3 rounds; the bound only guards the night of a card that is busy every second
		ts += 10*second + int64(min(float64(r.exp()*gap), 1e15)) // at most 30,000 years, so that ts cannot overflow
		if c.awayUntil > ts && ts > c.awayUntil-travel {
			ts = c.awayUntil + int64(float64(r.exp()*float64(hour)))
		}
		if float64(r.unit()*busiest) < c.weight(ts) {
			break
		}
	}
	return ts
}

// place returns the city where the card is.
func (c *card) place(ts int64) uint8 {
	if ts < c.awayUntil {
		return c.away
	}
	return c.city
}
