package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freshet/streams"
	"freshet/streams/serve"
)

// invoke runs one command line as main does.
func invoke(t *testing.T, ctx context.Context, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = execute(ctx, &app{out: &o, err: &e, env: func(k string) string { return env[k] }}, args)
	return code, o.String(), e.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const small = `pipeline: small
streams:
  pays: {topic: pays, format: json, id: id, time: ts, keyed_by: card}
  labels: {topic: labels, format: json, id: id, time: at}
entities:
  card: {key: card}
features:
  card:
    - {from: pays, over: [1h], compute: {n: count(), spend: sum(amount)}}
    - {from: labels, over: [1h], compute: {bad: count()}}
topics: {format: json}
online: {store: embedded}
`

const broken = `pipeline: small
streams:
  pays: {topic: pays, format: json, id: id, time: ts, lateness: soon}
entities:
  card: {key: card}
features:
  car:
    - {from: pay, over: [1h], compute: {n: count()}}
`

func TestCheck(t *testing.T) {
	ctx := context.Background()
	good, bad := write(t, "good.yaml", strings.Replace(small, "    - {from: labels, over: [1h], compute: {bad: count()}}\n", "", 1)), write(t, "bad.yaml", broken)
	if code, out, errs := invoke(t, ctx, nil, "check", "-f", good); code != 0 || !strings.HasPrefix(out, "ok: 2 streams, 1 entity, 2 features") {
		t.Errorf("a right file: exit %d, %q, %q", code, out, errs)
	}
	if code, out, _ := invoke(t, ctx, nil, "check", "-f", good, "--json"); code != 0 || strings.TrimSpace(out) != "[]" {
		t.Errorf("a right file as JSON: exit %d, %q", code, out)
	}
	code, _, errs := invoke(t, ctx, nil, "check", "-f", bad)
	if code != 2 || strings.Count(errs, "bad.yaml:") < 3 {
		t.Errorf("a wrong file: exit %d, want 2 and every mistake:\n%s", code, errs)
	}
	code, out, _ := invoke(t, ctx, nil, "check", "-f", bad, "--json")
	var list []mistake
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 2 || len(list) < 3 {
		t.Fatalf("a wrong file as JSON: exit %d, %v, %s", code, err, out)
	}
	near := map[string]bool{}
	for _, m := range list {
		if filepath.Base(m.File) != "bad.yaml" || m.Line == 0 || m.Column == 0 || m.Message == "" {
			t.Errorf("a mistake without its place: %+v", m)
		}
		near[m.Near] = true
	}
	if !near["pays"] {
		t.Errorf("no nearest name pays: %s", out)
	}
}

func TestPlan(t *testing.T) {
	ctx := context.Background()
	code, out, errs := invoke(t, ctx, nil, "plan", "-f", filepath.Join("..", "..", "deploy", "pipelines", "fraud.yaml"))
	for _, s := range []string{"stages", "card_n_1h", "card-fraud.features"} {
		if code != 0 || !strings.Contains(out, s) {
			t.Errorf("exit %d, no %s in the plan: %s %s", code, s, out, errs)
		}
	}
	code, out, _ = invoke(t, ctx, nil, "plan", "--json", "-f", filepath.Join("..", "..", "deploy", "pipelines", "fraud.yaml"))
	var p streams.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != 0 || p.Pipeline != "card-fraud" || len(p.Stages) < 4 {
		t.Errorf("exit %d, %v, %+v", code, err, p)
	}
}

func TestUsage(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join("..", "..", "deploy", "pipelines", "fraud.yaml")
	hand := filepath.Join("..", "..", "deploy", "pipelines", "handbook.yaml")
	tests := []struct {
		args string
		env  map[string]string
		want string
	}{
		{args: "chek", want: "chek"},
		{args: "check --nope", want: "--nope"},
		{args: "check", want: "-f FILE"},
		{args: "check -f nowhere.yaml", want: "nowhere.yaml"},
		{args: "demo --events 0", want: "--events"},
		{args: "demo --events many", want: "many"},
		{args: "demo --listen nowhere:x", want: "--listen"},
		{args: "get card", want: "at least 2"},
		{args: "get card c1 --url ://", want: "--url"},
		{args: "get card c1 --redis localhost:1", want: "-f FILE"},
		{args: "run -f " + file, want: "--brokers"},
		{args: "run --brokers localhost:1 -f " + file, want: "--registry"},
		{args: "run --brokers localhost:1 --registry ftp://x -f " + file, want: "ftp://x"},
		{args: "run --brokers localhost:1 --online disk -f " + file, want: "disk"},
		{args: "run --brokers localhost:1 --sasl magic --user u -f " + file, env: map[string]string{"FRESHET_PASSWORD": "p"}, want: "scram-sha-512"},
		{args: "run --brokers localhost:1 --sasl plain --user u -f " + file, want: "FRESHET_PASSWORD"},
		{args: "run --brokers localhost:1 --tls-ca nowhere.pem -f " + file, want: "nowhere.pem"},
		{args: "replay -f " + hand + " --brokers localhost:1", want: "--input"},
		{args: "replay -f " + hand + " --brokers localhost:1 --input x", want: "STREAM=FILE"},
		{args: "replay -f " + hand + " --brokers localhost:1 --input transaction=x.csv", want: "nearest: transactions"},
		{args: "replay -f " + hand + " --brokers localhost:1 --input known=x.csv", want: "made of another"},
		{args: "replay -f " + hand + " --brokers localhost:1 --speed fast --input transactions=x.csv", want: "--speed"},
		{args: "backfill -f " + hand + " --input transactions=x.csv", want: "--output"},
		{args: "backfill -f " + hand + " --input transactions=nowhere.csv --output o.csv", want: "nowhere.csv"},
	}
	for _, c := range tests {
		if code, _, errs := invoke(t, ctx, c.env, strings.Fields(c.args)...); code != 2 || !strings.Contains(errs, c.want) || strings.Contains(errs, "goroutine") {
			t.Errorf("%s: exit %d, %q; want 2 and %q", c.args, code, errs, c.want)
		}
	}
}

// pieces is a pipeline over two files, opened.
func pieces(t *testing.T, pays, labels string) (*streams.Topology, []*input) {
	t.Helper()
	p, err := streams.Parse("small.yaml", []byte(strings.Replace(small, "    - {from: labels, over: [1h], compute: {bad: count()}}\n", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	a := app{err: os.Stderr}
	ins, err := openInputs(topo, []string{"pays=" + write(t, "pays.csv", pays), "labels=" + write(t, "labels.jsonl", labels)}, a.logger(8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInputs(ins) })
	return topo, ins
}

// TestMergeOrder: event time over all inputs, file order within each, flag order where equal.
func TestMergeOrder(t *testing.T) {
	_, ins := pieces(t, "id,ts,card,amount\na,10,c1,1\nb,30,c2,2.5\nlate,20,c1,3\nc,40,c1,\n",
		`{"id":"x","at":10}`+"\n"+`{"id":"y","at":25,"deep":{"z":[1]}}`+"\n"+`{"id":"z","at":50}`+"\n")
	m, err := mergeInputs(ins)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for h := m.peek(); h != nil; h = m.peek() {
		got = append(got, fmt.Sprintf("%s@%d %s", h.key(), h.timeMs(), h.json))
		if err := m.pop(h); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`c1@10 {"id":"a","ts":10,"card":"c1","amount":1}`, `x@10 {"id":"x","at":10}`, `y@25 {"id":"y","at":25,"deep":{"z":[1]}}`,
		`c2@30 {"id":"b","ts":30,"card":"c2","amount":2.5}`, `c1@20 {"id":"late","ts":20,"card":"c1","amount":3}`,
		`c1@40 {"id":"c","ts":40,"card":"c1","amount":null}`, `z@50 {"id":"z","at":50}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestInferredSchema(t *testing.T) {
	_, ins := pieces(t, "id,ts,card,amount,note\n1,10,7,1,\n2,20,8,2.5,hi\n", `{"id":"x","at":1}`+"\n")
	fields, err := inferFields(ins[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(fields); got != "[{id id string} {ts ts long} {card card string} {amount amount double} {note note string}]" {
		t.Errorf("inferred %s", got)
	}
	b, err := appendInferred(nil, fields, []byte(`{"id":1,"ts":10,"card":"7","amount":null,"other":3}`))
	if want := "\x02\x021\x02\x14\x02\x027\x00\x00"; err != nil || string(b) != want {
		t.Errorf("%q %v, want %q", b, err, want)
	}
	if _, err := appendInferred(nil, fields, []byte(`{"id":1,"ts":"soon"}`)); err == nil || !strings.Contains(err.Error(), "field ts") {
		t.Errorf("a text where a whole number was: %v", err)
	}
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		done, total int64
		passed      time.Duration
		want        string
	}{
		{0, 200_000, time.Second, "0 of 200,000 events (0%)"},
		{100_000, 200_000, 10 * time.Second, "100,000 of 200,000 events (50%), 10,000/s, 11s left"},
		{1_234_567, 0, time.Second, "1,234,567 events, 1,234,567/s"},
	} {
		if got := progressLine("events", c.done, c.total, c.passed); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

type fixed struct{ serve.Backend }

func (fixed) Features(entity, key string, _ int64) (streams.View, error) {
	if key != "JFK|L/A" {
		return streams.View{}, streams.ErrNotFound
	}
	return streams.View{Entity: entity, Key: key, AsOfMs: 2500, LastMs: 1000, Names: []string{"b", "a"}, Values: []float64{1.5, nan}}, nil
}

func TestGetFromURL(t *testing.T) {
	s := httptest.NewServer(serve.New(fixed{}, serve.Options{Entities: []serve.Entity{{Name: "route", Fields: []string{"origin", "dest"}}}}).Handler())
	defer s.Close()
	ctx := context.Background()
	code, out, errs := invoke(t, ctx, map[string]string{"FRESHET_URL": s.URL}, "get", "route", "JFK", "L/A")
	if want := "route JFK|L/A as of 1970-01-01T00:00:02.5Z (state, newest event 1.5s earlier)\n  b  1.5\n  a  null\n"; code != 0 || out != want {
		t.Errorf("exit %d, %q %q, want %q", code, out, errs, want)
	}
	if code, out, _ = invoke(t, ctx, nil, "get", "--json", "--url", s.URL, "route", "JFK", "L/A"); code != 0 || !strings.Contains(out, `"features":{"a":null,"b":1.5}`) {
		t.Errorf("exit %d, %s", code, out)
	}
	if code, _, errs = invoke(t, ctx, nil, "get", "--url", s.URL, "rout", "x"); code != 1 || !strings.Contains(errs, "nearest: route") {
		t.Errorf("an unknown entity: exit %d, %q", code, errs)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if code, _, errs = invoke(t, ctx, nil, "get", "--url", gone.URL, "route", "x"); code != 1 || !strings.Contains(errs, "is freshet running there") {
		t.Errorf("nobody there: exit %d, %q", code, errs)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _ := invoke(t, context.Background(), nil, "version", "--json"); code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("exit %d, %s", code, out)
	}
}
