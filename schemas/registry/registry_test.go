package registry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"freshet/schemas"
	"freshet/schemas/avro"
)

const v1 = `{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}`
const v2 = `{"type":"record","name":"R","fields":[{"name":"extra","type":["null","string"],"default":null},{"name":"amount","type":"int"},{"name":"id","type":"string"}]}`

var layout = schemas.NewLayout([]schemas.Column{{Name: "id", Kind: schemas.Str, Required: true}, {Name: "amount", Kind: schemas.Num}})

func client(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reason(err error) string {
	var p *schemas.Poison
	if errors.As(err, &p) {
		return p.Reason
	}
	return ""
}

func TestDecodeByID(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	ctx := context.Background()
	c := client(t, Options{URL: fake.URL()})
	id1, err := c.Register(ctx, "a-value", v1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Register(ctx, "a-value", v1); err != nil || again != id1 {
		t.Fatal(again, err)
	}
	id2, err := c.Register(ctx, "b-value", v2)
	if err != nil || id1 == id2 {
		t.Fatal(id2, err)
	}
	bad, err := c.Register(ctx, "c-value", `{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"amount","type":"string"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(ctx, c, layout, avro.Options{TimeCol: -1})
	b := schemas.NewBatch(layout, 4)
	one := avro.AppendDouble(avro.AppendString(avro.AppendConfluent(nil, id1), "x"), 1.5)
	two := avro.AppendString(avro.AppendLong(avro.AppendNull(avro.AppendConfluent(nil, id2)), 7), "y")
	for _, payload := range [][]byte{one, two, one} {
		if err := d.Decode(b, b.AppendRow(0), payload); err != nil {
			t.Fatal(err)
		}
	}
	if b.Num[0][0] != 1.5 || b.Num[0][1] != 7 || string(b.Str[0][1]) != "y" || string(b.Str[0][2]) != "x" {
		t.Error(b.Num, b.Str)
	}
	for _, c := range []struct {
		payload []byte
		want    string
	}{{nil, "truncated"}, {[]byte{0, 0, 0, 0}, "truncated"}, {[]byte{1, 0, 0, 0, 1}, "bad_magic"}, {[]byte(`{"id":1}`), "bad_magic"},
		{avro.AppendConfluent(nil, 9999), "unknown_schema"}, {avro.AppendConfluent(nil, bad), "incompatible_schema"}, {one[:7], "truncated"}} {
		if err := d.Decode(b, b.AppendRow(0), c.payload); reason(err) != c.want {
			t.Errorf("%x: %v, expected %s", c.payload, err, c.want)
		}
	}
	if err := d.Decode(b, b.AppendRow(0), one[:7]); err.(*schemas.Poison).At != 7 {
		t.Errorf("place %d does not count the header", err.(*schemas.Poison).At)
	}
	step := func() {
		b.Reset()
		if err := d.Decode(b, b.AppendRow(0), one); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReferences(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	ctx := context.Background()
	c := client(t, Options{URL: fake.URL()})
	if _, _, err := fake.RegisterSchema("card", sr.Schema{Schema: `{"type":"record","name":"Card","fields":[{"name":"id","type":"string"}]}`}); err != nil {
		t.Fatal(err)
	}
	id, _, err := fake.RegisterSchema("tx", sr.Schema{Schema: `{"type":"record","name":"Tx","fields":[{"name":"card","type":"Card"}]}`,
		References: []sr.SchemaReference{{Name: "Card", Subject: "card", Version: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	l := schemas.NewLayout([]schemas.Column{{Name: "card.id", Kind: schemas.Str}})
	d, b := NewDecoder(ctx, c, l, avro.Options{TimeCol: -1}), schemas.NewBatch(l, 1)
	if err := d.Decode(b, b.AppendRow(0), avro.AppendString(avro.AppendConfluent(nil, uint32(id)), "c")); err != nil || string(b.Str[0][0]) != "c" {
		t.Error(err)
	}
}

// serve answers with what f says and counts the requests.
func serve(t *testing.T, f func(n int64) (status int, body string)) (url string, calls *atomic.Int64) {
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := f(calls.Add(1))
		w.WriteHeader(status)
		w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, calls
}

func TestClasses(t *testing.T) {
	ctx := context.Background()
	cases := []struct {
		status             int
		body               string
		transient, unknown bool
		calls              int64
		poison             string
	}{
		{500, `{"error_code":50001,"message":"store"}`, true, false, 3, ""},
		{429, "", true, false, 3, ""},
		{404, `{"error_code":40403,"message":"Schema not found"}`, false, true, 1, "unknown_schema"},
		{404, "<html>no such page</html>", false, false, 1, ""},
		{401, `{"error_code":401,"message":"Unauthorized"}`, false, false, 1, ""},
		{200, `{"schema":"syntax = 'proto3';","schemaType":"PROTOBUF"}`, false, false, 1, ""},
	}
	for _, c := range cases {
		url, calls := serve(t, func(int64) (int, string) { return c.status, c.body })
		cl := client(t, Options{URL: url, Retries: 2})
		_, _, err := cl.Schema(ctx, 7)
		if err == nil || errors.Is(err, ErrTransient) != c.transient || errors.Is(err, ErrUnknownSchema) != c.unknown || calls.Load() != c.calls {
			t.Errorf("%d %s: %v after %d calls", c.status, c.body, err, calls.Load())
		}
		d := NewDecoder(ctx, cl, layout, avro.Options{TimeCol: -1})
		b := schemas.NewBatch(layout, 1)
		err = d.Decode(b, b.AppendRow(0), avro.AppendConfluent(nil, 7))
		if reason(err) != c.poison || c.poison == "" && !errors.Is(err, ErrTransient) {
			t.Errorf("%d %s: decoding gives %v", c.status, c.body, err)
		}
	}
	cl := client(t, Options{URL: "http://127.0.0.1:1", Retries: -1})
	if _, _, err := cl.Schema(ctx, 1); !errors.Is(err, ErrTransient) {
		t.Error(err)
	}
	for _, url := range []string{"", "localhost:8081", "http://a,b"} {
		if _, err := NewClient(Options{URL: url}); err == nil {
			t.Errorf("%q is accepted", url)
		}
	}
}

func TestIncompatible(t *testing.T) {
	url, calls := serve(t, func(int64) (int, string) {
		return 409, `{"error_code":409,"message":"READER_FIELD_MISSING_DEFAULT_VALUE: amount"}`
	})
	_, err := client(t, Options{URL: url}).Register(context.Background(), "features-value", v1)
	var inc *IncompatibleError
	if !errors.As(err, &inc) || inc.Subject != "features-value" || !strings.Contains(inc.Said, "amount") || calls.Load() != 1 {
		t.Error(err)
	}
}

func TestRecoversAndRemembers(t *testing.T) {
	ctx := context.Background()
	url, calls := serve(t, func(n int64) (int, string) {
		if n <= 2 {
			return 503, ""
		}
		return 200, `{"schema":"\"string\""}`
	})
	c := client(t, Options{URL: url, MaxSchemas: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if text, _, err := c.Schema(ctx, 1); err != nil || text != `"string"` {
				t.Error(text, err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 3 {
		t.Errorf("%d calls for one id", calls.Load())
	}
	for id := range uint32(10) {
		if _, _, err := c.Schema(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.known) != 2 || len(c.order) != 2 {
		t.Errorf("the cache holds %d", len(c.known))
	}

	now := time.Unix(0, 0)
	url, calls = serve(t, func(n int64) (int, string) {
		if n == 1 {
			return 404, `{"error_code":40403,"message":"not found"}`
		}
		return 200, `{"schema":"\"string\""}`
	})
	c = client(t, Options{URL: url, Now: func() time.Time { return now }, UnknownFor: time.Second})
	for range 3 {
		if _, _, err := c.Schema(ctx, 5); !errors.Is(err, ErrUnknownSchema) {
			t.Fatal(err)
		}
	}
	now = now.Add(2 * time.Second)
	if _, _, err := c.Schema(ctx, 5); err != nil || calls.Load() != 2 {
		t.Error(err, calls.Load())
	}
}
