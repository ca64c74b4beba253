package integration

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"freshet/streams/simulate"
)

// shop is what a merchant's features are made of, for a recomputation by brute force.
type shop struct {
	at, known    []int64 // ms; known: of the labels
	amount       []float64
	ecom, fraud  []bool // fraud beside known
	newest, last int64
}

const (
	hourMs = int64(time.Hour / time.Millisecond)
	dayMs  = 24 * hourMs
)

// shops collects the payments and labels of every merchant: a chargeback makes a label when it is reported, silence after 3 d.
func shops(o simulate.Options) map[string]*shop {
	out := map[string]*shop{}
	type payment struct {
		shop *shop
		at   int64
	}
	var order []string
	byID := map[string]payment{}
	reported := map[string]simulate.Chargeback{}
	g := simulate.New(o)
	for ev := (simulate.Event{}); g.Next(&ev); {
		if ev.Kind == simulate.KindChargeback {
			id := string(ev.Chargeback.TxID)
			if _, ok := reported[id]; !ok {
				reported[id] = ev.Chargeback
			}
			continue
		}
		s := out[string(ev.Tx.MerchantID)]
		if s == nil {
			s = &shop{}
			out[string(ev.Tx.MerchantID)] = s
		}
		s.at, s.amount, s.ecom = append(s.at, ev.Tx.TsMs), append(s.amount, ev.Tx.Amount), append(s.ecom, ev.Tx.Channel == "ecom")
		s.last = max(s.last, ev.Tx.TsMs)
		byID[string(ev.Tx.TxID)] = payment{s, ev.Tx.TsMs}
		order = append(order, string(ev.Tx.TxID))
	}
	for _, id := range order {
		p := byID[id]
		known, fraud := p.at+3*dayMs, false
		if c, ok := reported[id]; ok && c.ReportedAtMs <= known {
			known, fraud = max(p.at, c.ReportedAtMs), c.IsFraud == 1
		}
		p.shop.known, p.shop.fraud = append(p.shop.known, known), append(p.shop.fraud, fraud)
		p.shop.newest = max(p.shop.newest, known, p.at)
	}
	return out
}

// exact is how many events of an entity are kept one by one (the default): windows that hold more have a declared error.
const exact = 128

// want computes the merchant's features as of its newest event; a column is left out where its window is not exact.
func (s *shop) want() map[string]float64 {
	out := map[string]float64{}
	window := func(length int64) (n, ecom int, sum float64) {
		for i, at := range s.at {
			if at > s.newest-length && at <= s.newest {
				n++
				sum += s.amount[i]
				if s.ecom[i] {
					ecom++
				}
			}
		}
		return n, ecom, sum
	}
	labels := func(length int64) (n, fraud int) {
		for i, at := range s.known {
			if at > s.newest-length && at <= s.newest {
				n++
				if s.fraud[i] {
					fraud++
				}
			}
		}
		return n, fraud
	}
	for name, length := range map[string]int64{"1h": hourMs, "24h": dayMs} {
		if n, ecom, sum := window(length); n <= exact {
			out["merchant_n_"+name], out["merchant_spend_"+name] = float64(n), sum
			if name == "24h" {
				out["merchant_ecom_24h"] = float64(ecom)
			}
		}
	}
	for name, length := range map[string]int64{"1d": dayMs, "7d": 7 * dayMs} {
		if n, fraud := labels(length); n <= exact {
			out["merchant_labels_"+name], out["merchant_risk_"+name] = float64(n), 0
			if n > 0 {
				out["merchant_risk_"+name] = float64(fraud) / float64(n)
			}
		}
	}
	return out
}

// asOfLast is a card's feature read as of its newest event, given the record of that event. They differ in one: the record has the
// time since the event before, a reader gets the time since the newest event itself.
func asOfLast(name string, last map[string]any) float64 {
	if name == "card_since_last" {
		return 0
	}
	return number(last, name)
}

// near allows for another order of summation.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// store checks every entity in Redis: all that were touched are there, under their documented keys, in the documented form. A card equals
// the last record of the features topic of that card; a merchant, whose labels come later than its last payment, a recomputation by
// brute force. It returns the mistakes, so that a caller can wait for values on their way.
func (w *world) store(d *decoders, a *audit, merchants map[string]*shop) (bad []string, cards, shops, columns int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	rdb := redis.NewClient(&redis.Options{Addr: w.s.RedisAddr})
	defer rdb.Close()
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	prefix := "f:" + w.name + ":"
	var keys []string
	seen := map[string]bool{}
	for it := rdb.Scan(ctx, 0, prefix+"*", 5000).Iterator(); ; {
		if !it.Next(ctx) {
			if err := it.Err(); err != nil {
				return []string{"scan: " + err.Error()}, 0, 0, 0
			}
			break
		}
		if k := it.Val(); !seen[k] && !strings.Contains(k, ":end") {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	if want := len(a.last["card"]) + len(merchants); len(keys) != want {
		wrong("%d entities in Redis, %d were touched", len(keys), want)
	}
	for len(keys) > 0 {
		some := keys[:min(len(keys), 500)]
		keys = keys[len(some):]
		values, err := rdb.MGet(ctx, some...).Result()
		if err != nil {
			return append(bad, "mget: "+err.Error()), cards, shops, columns
		}
		for i, k := range some {
			entity, key, _ := strings.Cut(strings.TrimPrefix(k, prefix), ":")
			v, _ := values[i].(string)
			_, _, rec, err := d.stored(v)
			if err != nil {
				wrong("%s: %v", k, err)
				continue
			}
			if rec[entity+"_id"] != key {
				wrong("%s: the record's key is %v", k, rec[entity+"_id"])
			}
			if entity == "card" {
				cards++
				last := a.last["card"][key]
				for name := range rec {
					if strings.HasPrefix(name, "card_") && name != "card_id" || name == "time" {
						columns++
						if got, want := number(rec, name), asOfLast(name, last); !same(got, want) {
							wrong("%s: %s is %v, in the card's last record %v", k, name, got, want)
						}
					}
				}
				continue
			}
			shops++
			m := merchants[key]
			if m == nil {
				wrong("%s: no event has this merchant", k)
				continue
			}
			if at := int64(number(rec, "time")); at != m.newest {
				wrong("%s: as of %d, the newest is %d", k, at, m.newest)
				continue
			}
			for name, want := range m.want() {
				columns++
				if got := number(rec, name); !near(got, want) {
					wrong("%s: %s is %v, by brute force %v", k, name, got, want)
				}
			}
		}
	}
	return bad, cards, shops, columns
}

// awaitStore waits until every entity in Redis is right.
func (w *world) awaitStore(p *process, d *decoders, a *audit, o simulate.Options, limit time.Duration) {
	w.t.Helper()
	merchants := shops(o)
	var bad []string
	cards, shops, columns := 0, 0, 0
	end := time.Now().Add(limit)
	for {
		if bad, cards, shops, columns = w.store(d, a, merchants); len(bad) == 0 || time.Now().After(end) {
			break
		}
		select {
		case <-p.done:
			w.t.Fatalf("freshet ended: %v", p.err)
		case <-time.After(time.Second):
		}
	}
	w.t.Logf("online store: %d cards, %d merchants, %d values compared, %d mistakes", cards, shops, columns, len(bad))
	if len(bad) > 0 {
		w.t.Errorf("the online store is wrong after %s:\n%s", limit, strings.Join(bad[:min(len(bad), 12)], "\n"))
	}
}

// TestStoredForm holds the reading of a value against one that is made by hand here, so that a mistake in both would show.
func TestStoredForm(t *testing.T) {
	d := &decoders{t: t}
	if _, _, _, err := d.stored(string(bytes.Repeat([]byte{0}, 20))); err == nil {
		t.Error("20 bytes were taken for a value")
	}
}
