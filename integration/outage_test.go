package integration

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// interrupted runs n events over some seconds; trouble is called with them under way, and may wait for a number of features. In the end
// nothing is lost and nothing is there twice, on the topic and in Redis.
func interrupted(t *testing.T, n int, seconds float64, trouble func(w *world, p *process, until func(n int))) {
	w := newWorld(t, "fraud.yaml", 4, patient)
	o := simulated(n)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.produce(o, seconds)
	}()
	defer func() { <-sent }()
	p := w.run()
	p.ready(2 * time.Minute)
	d := w.decoders()
	a := newAudit(t, w.history(o), map[string]string{"card": "card_id"})
	r := w.read(w.name+".features", func(r *kgo.Record) { rec, _ := d.native(r.Value); a.add(rec) })
	trouble(w, p, func(n int) { t.Helper(); r.until(p, n, 3*time.Minute) })
	<-sent
	w.seal(o)
	r.until(p, n, 3*time.Minute)
	w.awaitStore(p, d, a, o, 2*time.Minute)
	p.ready(time.Minute)
	p.stop()
	r.toEnd()
	a.done()
}

// TestRedisDown takes Redis away for ten seconds. The pipeline goes on; the entities of that time are written afterwards.
func TestRedisDown(t *testing.T) {
	const n = 60_000
	interrupted(t, n, 20, func(w *world, p *process, until func(int)) {
		until(n / 4)
		w.s.RedisStop()
		down := time.Now()
		p.await("/readyz to say that the store is away", 9*time.Second, func() bool {
			code, text := p.get("/readyz")
			return code == 503 && strings.Contains(text, "online store")
		})
		until(n / 2) // features go on meanwhile
		time.Sleep(time.Until(down.Add(10 * time.Second)))
		w.s.RedisStart()
	})
}

// TestBrokerRestarts stops the broker cleanly and starts it again, and then kills it, in the middle; with FRESHET_TEST_FULL eight times.
func TestBrokerRestarts(t *testing.T) {
	n, rounds := 60_000, 2
	if os.Getenv("FRESHET_TEST_FULL") != "" {
		n, rounds = 240_000, 8
	}
	interrupted(t, n, float64(n)/4000, func(w *world, p *process, until func(int)) {
		for k := range rounds {
			until(n * (2*k + 1) / (2*rounds + 1))
			if k%2 == 0 {
				w.s.KafkaStop()
			} else {
				w.s.KafkaKill()
			}
			w.s.KafkaStart()
		}
	})
}

// TestNothingUpYet starts freshet before its broker, registry and store answer, and lets them come one by one.
func TestNothingUpYet(t *testing.T) {
	const n = 5000
	w := newWorld(t, "fraud.yaml", 2, "")
	o := simulated(n)
	w.produce(o, 0)
	w.seal(o)
	broker, registry, redis := reserve(t), reserve(t), reserve(t)
	path := w.s.RegistryURL[strings.Index(w.s.RegistryURL, "://")+3:]
	host, rest, _ := strings.Cut(path, "/")
	p := start(t, "-f", w.file, "--brokers", broker, "--registry", "http://"+registry+"/"+rest, "--redis", redis, "--state", w.state, "--listen", "127.0.0.1:0")
	waits := func(what string) {
		t.Helper()
		p.await("/readyz to name "+what, 30*time.Second, func() bool {
			code, text := p.get("/readyz")
			return code == 503 && strings.Contains(text, what)
		})
		if code, text := p.get("/healthz"); code != 200 {
			t.Errorf("/healthz while waiting: %d %s", code, text)
		}
	}
	waits("waiting for the brokers")
	forward(t, broker, w.s.Brokers[0])
	waits("waiting for the schema registry")
	forward(t, registry, host)
	waits("online store")
	d := w.decoders()
	a := newAudit(t, w.history(o), map[string]string{"card": "card_id"})
	r := w.read(w.name+".features", func(r *kgo.Record) { rec, _ := d.native(r.Value); a.add(rec) })
	r.until(p, n, 2*time.Minute) // with the store still away
	forward(t, redis, w.s.RedisAddr)
	p.ready(time.Minute)
	w.awaitStore(p, d, a, o, time.Minute)
	p.stop()
	r.toEnd()
	a.done()
}

// reserve returns an address on which nobody listens.
func reserve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// forward passes connections to address on to target until the test ends.
func forward(t *testing.T, address, target string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	ended := false
	keep := func(c net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		if open = append(open, c); ended {
			c.Close()
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			keep(in)
			wg.Go(func() {
				defer in.Close()
				out, err := net.DialTimeout("tcp", target, 5*time.Second)
				if err != nil {
					return
				}
				keep(out)
				defer out.Close()
				wg.Go(func() { _, _ = io.Copy(out, in); out.Close() })
				_, _ = io.Copy(in, out)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		ended = true
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}
