package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

var nan = math.NaN()

func TestDemo(t *testing.T) {
	runs := make([]summary, 2)
	for i := range runs {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		code, out, errs := invoke(t, ctx, nil, "demo", "--events", "20000", "--rate", "0", "--seed", "7", "--json")
		cancel()
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		line := out[strings.LastIndexByte(strings.TrimSpace(out), '\n')+1:]
		var keys map[string]any
		if err := json.Unmarshal([]byte(line), &keys); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"events", "seconds", "events_per_second", "features_published", "predictions", "labels_joined", "auc", "log_loss", "drift_events",
			"retrain_requests", "online_entities", "dead_letters", "seed", "late"} {
			if _, ok := keys[k]; !ok {
				t.Errorf("no %s in %s", k, line)
			}
		}
		if err := json.Unmarshal([]byte(line), &runs[i]); err != nil {
			t.Fatal(err)
		}
	}
	a, b := runs[0], runs[1]
	if a.Events != 20000 || a.Features != 20000 || a.DeadLetters != 0 || a.Joined == 0 || a.Entities == 0 || a.Drifts == 0 || a.Retrains == 0 {
		t.Errorf("counts: %+v", a)
	}
	if a.Features != b.Features || a.Joined != b.Joined || a.Entities != b.Entities || a.Late != b.Late {
		t.Errorf("one seed, two results:\n%+v\n%+v", a, b)
	}
}

// buffer is a writer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// eventually waits until f is content, for up to 20 s.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 200 {
		if f() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func fetch(url string) (int, string) {
	r, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(b)
}

// TestRun: a process that waits for its topics, takes in what replay sends, serves it over HTTP and from Redis, stops cleanly, and goes
// on where it was after a restart.
func TestRun(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	reg := httptest.NewServer(srfake.NewRegistry().Handler())
	defer reg.Close()
	redis := miniredis.RunT(t)
	file := write(t, "small.yaml", strings.NewReplacer("    - {from: labels, over: [1h], compute: {bad: count()}}\n", "",
		"  labels: {topic: labels, format: json, id: id, time: at}\n", "", "topics: {format: json}\n", "", "format: json", "format: avro", "store: embedded", "store: redis").Replace(small))
	env := map[string]string{"FRESHET_BROKERS": cluster.ListenAddrs()[0], "FRESHET_REGISTRY": reg.URL, "FRESHET_REDIS": redis.Addr(), "FRESHET_LISTEN": "127.0.0.1:0",
		"FRESHET_STATE": filepath.Join(t.TempDir(), "state")}
	start := func() (base string, log *buffer, stop func() int) {
		ctx, cancel := context.WithCancel(context.Background())
		log = &buffer{}
		done := make(chan int, 1)
		go func() {
			done <- execute(ctx, &app{out: io.Discard, err: log, env: func(k string) string { return env[k] }}, []string{"run", "-f", file})
		}()
		t.Cleanup(cancel)
		eventually(t, "an HTTP address in the log", func() bool {
			m := regexp.MustCompile(`http=(\S+)`).FindStringSubmatch(log.String())
			if m != nil {
				base = "http://" + m[1]
			}
			return m != nil
		})
		return base, log, func() int { cancel(); return <-done }
	}
	base, log, stop := start()
	if code, body := fetch(base + "/healthz"); code != 200 {
		t.Errorf("health while waiting: %d %s", code, body)
	}
	eventually(t, "the missing topic in /readyz and in the log", func() bool {
		code, body := fetch(base + "/readyz")
		return code == 503 && strings.Contains(body, "pays") && strings.Contains(log.String(), "pays")
	})
	if code, body := fetch(base + "/v1/features/card/c1"); code != 404 {
		t.Errorf("features while waiting: %d %s", code, body)
	}

	replay := func(rows string) {
		t.Helper()
		code, out, errs := invoke(t, context.Background(), env, "replay", "-f", file, "--input", "pays="+write(t, "pays.csv", rows), "--partitions", "2", "--json")
		if code != 0 || !strings.Contains(out, `"records":`) {
			t.Fatalf("replay: exit %d, %s %s", code, out, errs)
		}
	}
	replay("id,ts,card,amount\na,1767571200000,c1,1\nb,1767571201000,c2,2.5\nc,1767571202000,c1,4\n")
	has := func(n, spend float64) func() bool {
		return func() bool {
			code, body := fetch(base + "/v1/features/card/c1")
			return code == 200 && strings.Contains(body, fmt.Sprintf(`"card_n_1h":%v,"card_spend_1h":%v}`, n, spend)) && strings.Contains(body, `"source":"state"`)
		}
	}
	eventually(t, "features of c1", has(2, 5))
	eventually(t, "readiness", func() bool { code, _ := fetch(base + "/readyz"); return code == 200 })
	eventually(t, "metrics", func() bool {
		_, body := fetch(base + "/metrics")
		return regexp.MustCompile(`freshet_commit_commits_total\{[^}]*\} [1-9]`).MatchString(body)
	})
	r, err := http.Post(base+"/v1/score", "application/json", strings.NewReader(`{"id":"q","ts":1767571203000,"card":"c1","amount":10}`))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if r.StatusCode != 200 || !strings.Contains(string(body), `"card_n_1h":3`) || !strings.Contains(string(body), `"card_spend_1h":15`) {
		t.Errorf("score: %d %s", r.StatusCode, body)
	}
	eventually(t, "the value in Redis", func() bool {
		code, out, _ := invoke(t, context.Background(), env, "get", "card", "c1", "-f", file, "--redis", redis.Addr(), "--json")
		return code == 0 && strings.Contains(out, `"features":{"card_n_1h":2,"card_spend_1h":5}`) && strings.Contains(out, `"source":"online"`)
	})
	if code, out, errs := invoke(t, context.Background(), env, "get", "card", "c1", "-f", file, "--redis", redis.Addr(), "--at", "2026-01-05T01:00:01Z", "--json"); !strings.Contains(out, `{"card_n_1h":1,"card_spend_1h":4}`) {
		t.Errorf("from Redis as of an hour later: exit %d, %s %s", code, out, errs)
	}
	if code := stop(); code != 0 {
		t.Fatalf("exit %d after a clean stop:\n%s", code, log)
	}

	base, log, stop = start()
	replay("id,ts,card,amount\nd,1767571203000,c1,7\n")
	eventually(t, "features of c1 after a restart", has(3, 12))
	if code := stop(); code != 0 {
		t.Fatalf("exit %d after the second stop:\n%s", code, log)
	}
}

func TestWrongCredentialsEndTheProcess(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "u", "right"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	// kfake closes the connection instead; this is what brokers say.
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	env := map[string]string{"FRESHET_PASSWORD": "wrong", "FRESHET_STATE": t.TempDir(), "FRESHET_LISTEN": "127.0.0.1:0"}
	code, _, errs := invoke(t, ctx, env, "run", "-f", write(t, "small.yaml", strings.Replace(small, "    - {from: labels, over: [1h], compute: {bad: count()}}\n", "", 1)),
		"--brokers", cluster.ListenAddrs()[0], "--sasl", "scram-sha-256", "--user", "u")
	if code != 1 || ctx.Err() != nil || !strings.Contains(errs, "SASL_AUTHENTICATION_FAILED") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
