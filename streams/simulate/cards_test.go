package simulate

import (
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"
)

// hashOf folds the first n events, as JSON and with their arrival and truth, into a hash.
func hashOf(o Options, n int) uint64 {
	g, h := New(o), fnv.New64a()
	var e Event
	var b []byte
	for i := 0; i < n && g.Next(&e); i++ {
		b = fmt.Appendf(e.AppendJSON(b[:0]), " %d %d\n", e.ArrivalMs, e.Tx.Fraud)
		h.Write(b)
	}
	return h.Sum64()
}

func TestDeterminism(t *testing.T) {
	all := Options{Seed: 1, Events: 100_000} // to the end, so that the shift is in it
	first, again := hashOf(all, 1<<30), hashOf(all, 1<<30)
	if first != again {
		t.Errorf("the same seed gave %#x, then %#x", first, again)
	}
	if first != wantCards {
		t.Errorf("hash of 100,000 transactions and their chargebacks is %#x, want %#x: if the workload was changed on purpose, change the constant", first, uint64(wantCards))
	}
	if other := hashOf(Options{Seed: 2}, 10_000); other == hashOf(Options{Seed: 1}, 10_000) {
		t.Error("seeds 1 and 2 gave the same events")
	}
}

// stats of a whole run, before (0) and after (1) the shift, by event time.
type stats struct {
	tx, fraud, ecom, caught [2]int
	kinds                   [2][Frauds]int
	cards, merchants        map[string]bool
	amounts                 [2][8]float64 // histogram of the logarithm
	reasons                 map[string]int
	perHour                 [24]int
	first, last             int64
	late                    int
	maxSpeed                [Frauds]float64
	fastStolen, burst       int
}

type lastSeen struct {
	ts       int64
	lat, lon float64
	recent   [16]int64
	n        int
}

func run(t *testing.T, o Options) stats {
	t.Helper()
	g := New(o)
	o = g.Options()
	s := stats{cards: map[string]bool{}, merchants: map[string]bool{}, reasons: map[string]int{}}
	type sent struct {
		ts    int64
		fraud Fraud
	}
	txs, last := map[string]sent{}, map[string]*lastSeen{}
	var e Event
	arrival, newest := int64(math.MinInt64), int64(math.MinInt64)
	for g.Next(&e) {
		if e.ArrivalMs < arrival {
			t.Fatalf("arrival falls from %d to %d", arrival, e.ArrivalMs)
		}
		arrival = e.ArrivalMs
		if e.Kind == KindChargeback {
			c := &e.Chargeback
			x, ok := txs[string(c.TxID)]
			if !ok {
				t.Fatalf("chargeback on %s, which is unknown or had one before", c.TxID)
			}
			delete(txs, string(c.TxID))
			if wait := c.ReportedAtMs - x.ts; wait < hour || wait > 72*hour {
				t.Fatalf("chargeback after %v", time.Duration(wait)*time.Millisecond)
			}
			if x.fraud != Honest && (c.IsFraud != 1 || c.Reason != reasons[firstParty+int(x.fraud)]) || x.fraud == Honest && (c.IsFraud == 1) != (c.Reason == "first_party") {
				t.Fatalf("chargeback %d %s on a payment that is %v", c.IsFraud, c.Reason, x.fraud)
			}
			s.reasons[c.Reason]++
			continue
		}
		x := &e.Tx
		if d := e.ArrivalMs - x.TsMs; d < 0 || d > o.DisorderMs {
			t.Fatalf("%s arrives %d ms after its time", x.TxID, d)
		}
		if _, twice := txs[string(x.TxID)]; twice {
			t.Fatalf("%s twice", x.TxID)
		}
		if !(x.Amount >= 0.01 && x.Amount <= 20_000 && math.Abs(x.Lat) < 90 && math.Abs(x.Lon) < 180) {
			t.Fatalf("out of range: %s", x.AppendJSON(nil))
		}
		if x.TsMs < newest {
			s.late++
		}
		newest = max(newest, x.TsMs)
		if s.first == 0 {
			s.first = x.TsMs
		}
		s.last = newest
		txs[string(x.TxID)] = sent{x.TsMs, x.Fraud}
		s.cards[string(x.CardID)], s.merchants[string(x.MerchantID)] = true, true
		half := 0
		if x.TsMs > g.ShiftMs() {
			half = 1
		}
		s.tx[half]++
		s.kinds[half][x.Fraud]++
		s.perHour[x.TsMs/hour%24]++
		s.amounts[half][min(7, max(0, int(math.Log2(x.Amount))-1))]++
		if x.Channel == "ecom" {
			s.ecom[half]++
		}
		// What a simple rule on velocity and speed sees.
		l := last[string(x.CardID)]
		if l == nil {
			l = &lastSeen{ts: math.MinInt64 / 2}
			last[string(x.CardID)] = l
		}
		n1h := 1
		for i := range min(l.n, len(l.recent)) {
			if l.recent[i] > x.TsMs-hour {
				n1h++
			}
		}
		km := 111 * math.Hypot(x.Lat-l.lat, (x.Lon-l.lon)*math.Cos(x.Lat*math.Pi/180))
		fast := l.n > 0 && km > 50 && km/max(0.01, float64(x.TsMs-l.ts)/float64(hour)) > 1000
		if x.Fraud != Honest {
			s.fraud[half]++
			if n1h >= 4 || fast {
				s.caught[half]++
			}
		}
		if x.Fraud == Stolen {
			if fast {
				s.fastStolen++
			}
			if n1h >= 4 {
				s.burst++
			}
		}
		l.ts, l.lat, l.lon = x.TsMs, x.Lat, x.Lon
		l.recent[l.n%len(l.recent)] = x.TsMs
		l.n++
	}
	return s
}

func TestRealism(t *testing.T) {
	o := Options{Seed: 3, Events: 200_000}
	s := run(t, o)
	total := s.tx[0] + s.tx[1]
	in := func(what string, v, lo, hi float64) {
		t.Helper()
		t.Logf("%-44s %.4f", what, v)
		if !(v >= lo && v <= hi) {
			t.Errorf("%s is %.4f, want %.4f to %.4f", what, v, lo, hi)
		}
	}
	share := func(a, b int) float64 { return float64(a) / float64(max(1, b)) }
	if total != o.Events {
		t.Errorf("%d transactions, want %d", total, o.Events)
	}
	in("days", float64(s.last-s.first)/float64(day), 13, 15)
	in("cards seen", float64(len(s.cards)), 4_900, 5_000)
	in("merchants seen", float64(len(s.merchants)), 900, 1_000)
	in("fraud before", share(s.fraud[0], s.tx[0]), 0.007, 0.013)
	in("fraud after", share(s.fraud[1], s.tx[1]), 0.007, 0.013)
	in("night among fraud before", share(s.kinds[0][Night], s.fraud[0]), 0, 0)
	in("night among fraud after", share(s.kinds[1][Night], s.fraud[1]), 0.55, 0.9)
	for f := Stolen; f < Night; f++ {
		in(f.String()+" among fraud before", share(s.kinds[0][f], s.fraud[0]), 0.1, 0.5)
		in(f.String()+" among fraud after", share(s.kinds[1][f], s.fraud[1]), 0.005, 0.2)
	}
	in("fraud that a velocity rule sees, before", share(s.caught[0], s.fraud[0]), 0.4, 1)
	in("fraud that a velocity rule sees, after", share(s.caught[1], s.fraud[1]), 0, 0.3)
	stolen := s.kinds[0][Stolen] + s.kinds[1][Stolen]
	in("stolen: 4 or more in 1 h", share(s.burst, stolen), 0.4, 1)
	in("stolen: impossible speed", share(s.fastStolen, stolen), 0.1, 0.6)
	in("honest false labels", share(s.reasons["dispute"]+s.reasons["first_party"], total), 0.0002, 0.0007)
	in("ecom before", share(s.ecom[0], s.tx[0]), 0.18, 0.27)
	in("ecom after", share(s.ecom[1], s.tx[1]), 0.42, 0.56)
	in("out of order", share(s.late, total), 0.001, 0.2)
	in("3 h at night to 3 h in the evening (UTC)", share(s.perHour[1]+s.perHour[2]+s.perHour[3], s.perHour[16]+s.perHour[17]+s.perHour[18]), 0, 0.25)
	psi := 0.0
	for i := range s.amounts[0] {
		p, q := max(1e-4, s.amounts[0][i]/float64(s.tx[0])), max(1e-4, s.amounts[1][i]/float64(s.tx[1]))
		psi += (q - p) * math.Log(q/p)
	}
	in("PSI of the amount", psi, 0.03, 2)
}

func TestAvroAndJSON(t *testing.T) {
	codecs := map[Kind]*goavro.Codec{}
	for k, text := range map[Kind]string{KindTransaction: TransactionSchema, KindChargeback: ChargebackSchema} {
		c, err := goavro.NewCodec(text)
		if err != nil {
			t.Fatal(err)
		}
		codecs[k] = c
	}
	g := New(Options{Seed: 5, Events: 3000, FraudRate: 0.2})
	var e Event
	seen := map[Kind]int{}
	for g.Next(&e) {
		seen[e.Kind]++
		v, rest, err := codecs[e.Kind].NativeFromBinary(e.AppendAvro(nil))
		if err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d bytes left over", err, len(rest))
		}
		want := map[string]any{"tx_id": string(e.Tx.TxID), "ts": time.UnixMilli(e.Tx.TsMs).UTC(), "card_id": string(e.Tx.CardID),
			"merchant_id": string(e.Tx.MerchantID), "amount": e.Tx.Amount, "lat": e.Tx.Lat, "lon": e.Tx.Lon,
			"channel": e.Tx.Channel, "country": e.Tx.Country}
		if e.Kind == KindChargeback {
			want = map[string]any{"tx_id": string(e.Chargeback.TxID), "reported_at": time.UnixMilli(e.Chargeback.ReportedAtMs).UTC(),
				"is_fraud": int32(e.Chargeback.IsFraud), "reason": e.Chargeback.Reason}
		}
		if !reflect.DeepEqual(v, want) {
			t.Fatalf("Avro: got %v, want %v", v, want)
		}
		checkJSON(t, e.AppendJSON(nil), want)
	}
	if seen[KindTransaction] != 3000 || seen[KindChargeback] < 300 {
		t.Errorf("saw %v", seen)
	}
}

// Any options give a run that ends, within its own rules.
func TestAnyOptions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			Seed: rapid.Uint64().Draw(rt, "seed"), Events: rapid.IntRange(1, 3000).Draw(rt, "events"),
			Cards: rapid.IntRange(-1, 300).Draw(rt, "cards"), Merchants: rapid.IntRange(-1, 300).Draw(rt, "merchants"),
			StartMs: rapid.Int64Range(-1e12, 4e12).Draw(rt, "start"), Days: rapid.IntRange(-1, 400).Draw(rt, "days"),
			FraudRate:  rapid.Float64Range(-0.1, 1).Draw(rt, "rate"),
			ShiftAt:    rapid.Float64Range(-1, 2).Draw(rt, "shift"),
			DisorderMs: rapid.Int64Range(-1, 100_000).Draw(rt, "disorder"),
		}
		g := New(o)
		n, limit := 0, 0
		var e Event
		for prev := int64(math.MinInt64); g.Next(&e); limit++ {
			if e.ArrivalMs < prev || limit > 10_000_000 {
				rt.Fatalf("arrival %d after %d", e.ArrivalMs, prev)
			}
			prev = e.ArrivalMs
			if e.Kind == KindTransaction {
				n++
			}
		}
		if n != g.Options().Events {
			rt.Fatalf("%d transactions, want %d", n, g.Options().Events)
		}
	})
}

func TestNoAllocation(t *testing.T) {
	g := New(Options{Seed: 1, Events: 1 << 30, Days: 3650})
	var e Event
	b := make([]byte, 0, 1024)
	for range 200_000 { // until the heaps have grown to what is on its way
		g.Next(&e)
	}
	if n := testing.AllocsPerRun(20_000, func() {
		g.Next(&e)
		b = e.AppendAvro(e.AppendJSON(b[:0]))
	}); n != 0 {
		t.Errorf("%v allocations an event, want 0", n)
	}
}

func TestLnExp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(1e-300, 1e300).Draw(t, "x")
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 1e-13*max(1, math.Abs(want)) {
			t.Fatalf("ln(%v) = %v, want %v", x, got, want)
		}
		y := rapid.Float64Range(-600, 600).Draw(t, "y")
		if got, want := exp(y), math.Exp(y); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("exp(%v) = %v, want %v", y, got, want)
		}
	})
}

func BenchmarkCards(b *testing.B) {
	g := New(Options{Seed: 1, Events: 1 << 30, Days: 3650})
	var e Event
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		g.Next(&e)
		buf = e.AppendAvro(buf[:0])
	}
}
