package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// TestServices is the smoke test of the services themselves: what fails here is not freshet's fault.
func TestServices(t *testing.T) {
	s := Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	name := fmt.Sprintf("smoke-%d-%d", os.Getpid(), time.Now().UnixNano())

	t.Run("kafka", func(t *testing.T) { // outer s: its cleanups belong to the outer test
		makeTopic(t, ctx, s, name)
		produce(t, ctx, s, name, "first", []byte("one"))
		got := consume(t, ctx, s, name, 1)
		if string(got[0].Value) != "one" || string(got[0].Key) != "first" {
			t.Errorf("got key %q value %q, want first, one", got[0].Key, got[0].Value)
		}
	})
	t.Run("a record of 12 MB", func(t *testing.T) {
		big := bytes.Repeat([]byte("freshet "), 12<<20/8)
		makeTopic(t, ctx, s, name+"-big")
		produce(t, ctx, s, name+"-big", "big", big)
		if got := consume(t, ctx, s, name+"-big", 1); !bytes.Equal(got[0].Value, big) {
			t.Errorf("got %d bytes back that differ from the %d written", len(got[0].Value), len(big))
		}
	})
	t.Run("registry", func(t *testing.T) { registrySmoke(t, ctx, s, name+"-value") })
	t.Run("redis", func(t *testing.T) {
		c := redis.NewClient(&redis.Options{Addr: s.RedisAddr})
		defer c.Close()
		if err := c.Set(ctx, name, "v", time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		s.RedisStop()
		if err := c.Get(ctx, name).Err(); err == nil {
			t.Error("a stopped Redis answered GET")
		}
		s.RedisStart()
		got, err := retry(ctx, func() (string, error) { return c.Get(ctx, name).Result() })
		if err != nil || got != "v" {
			t.Errorf("GET after a stop and a start: %q, %v; want v", got, err)
		}
	})
	for _, how := range []struct {
		name string
		down func()
	}{{"broker restart", s.KafkaStop}, {"broker killed", s.KafkaKill}} {
		t.Run(how.name, func(t *testing.T) {
			topic := name + "-" + how.name[len("broker "):]
			makeTopic(t, ctx, s, topic)
			produce(t, ctx, s, topic, "k", []byte("before"))
			how.down()
			if err := waitPort(timeout(t, 300*time.Millisecond), s.Brokers[0]); err == nil {
				t.Error("a stopped broker accepts connections")
			}
			s.KafkaStart()
			produce(t, ctx, s, topic, "k", []byte("after"))
			got := consume(t, ctx, s, topic, 2)
			if string(got[0].Value) != "before" || string(got[1].Value) != "after" {
				t.Errorf("got %q, %q; want before, after", got[0].Value, got[1].Value)
			}
		})
	}
}

// registrySmoke registers a schema, twice, reads it back, and sees an incompatible one refused.
func registrySmoke(t *testing.T, ctx context.Context, s Services, subject string) {
	c, err := sr.NewClient(sr.URLs(s.RegistryURL))
	if err != nil {
		t.Fatal(err)
	}
	schema := func(fields string) sr.Schema {
		return sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"Tx","fields":[` + fields + `]}`}
	}
	v1 := schema(`{"name":"id","type":"string"}`)
	first, err := c.CreateSchema(ctx, subject, v1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.CreateSchema(ctx, subject, v1); err != nil || again.ID != first.ID {
		t.Errorf("registering again: id %d, %v; want id %d", again.ID, err, first.ID)
	}
	if got, err := c.SchemaByID(ctx, first.ID); err != nil || got.Schema == "" {
		t.Errorf("by id %d: %+v, %v", first.ID, got, err)
	}
	if _, err := c.CreateSchema(ctx, subject, schema(`{"name":"id","type":"string"},{"name":"must","type":"double"}`)); err == nil {
		t.Error("a new field without a default was accepted; the registry must be set to BACKWARD")
	}
}

// client opens a client of the services' broker that is closed with the test.
func client(t *testing.T, s Services, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Brokers...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func makeTopic(t *testing.T, ctx context.Context, s Services, name string) {
	t.Helper()
	limit := "13631488" // 13 MiB, above the topic default of 1 MiB
	adm := kadm.NewClient(client(t, s))
	_, err := retry(ctx, func() (struct{}, error) {
		r, err := adm.CreateTopic(ctx, 1, 1, map[string]*string{"max.message.bytes": &limit}, name)
		if err == nil && r.Err != kerr.TopicAlreadyExists {
			err = r.Err
		}
		return struct{}{}, err
	})
	if err != nil {
		t.Fatalf("topic %s: %v", name, err)
	}
}

func produce(t *testing.T, ctx context.Context, s Services, topic, key string, value []byte) {
	t.Helper()
	c := client(t, s, kgo.ProducerBatchMaxBytes(13<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
		t.Fatalf("produce to %s: %v", topic, err)
	}
}

// consume reads the first n records of a topic of one partition.
func consume(t *testing.T, ctx context.Context, s Services, topic string, n int) []*kgo.Record {
	t.Helper()
	c := client(t, s, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxPartitionBytes(16<<20))
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var got []*kgo.Record
	for len(got) < n {
		f := c.PollFetches(wait)
		if wait.Err() != nil {
			t.Fatalf("consume %s: %d of %d records within a minute: %v", topic, len(got), n, f.Err0())
		}
		got = append(got, f.Records()...)
	}
	return got[:n]
}

// retry calls f until it succeeds, for up to a minute.
func retry[T any](ctx context.Context, f func() (T, error)) (v T, err error) {
	for range 300 {
		if v, err = f(); err == nil {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(200 * time.Millisecond):
		}
	}
	return v, err
}

func timeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
