package kafka

import (
	"context"
	stdjson "encoding/json"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestPartitionsReadHoursApart replays one day of events through two partitions of which the broker hands out the second only when the
// first has been read far ahead, and gets the merchant features of event order, every value to the bit: the merge of the merchant stage
// waits for the slower partition, whatever the settings are.
//
//   - max_skew says how far the reader lets the first partition run ahead. With 48 h nothing keeps the two together: the first is
//     read to its end, most of a day of event time ahead of the second, and its rows wait in the merge. With the default of 1 h the
//     reader itself stops soon. (It also stops, after one poll, while a partition has not said anything at all; here it has, once.)
//   - idle (here 200 ms, shorter than the wait) does not let the merge go on: idle is only a partition that is read to its end, and the
//     second has unread records all the time. Where its records are not even written yet, idle must be longer than the producer is
//     silent, or its silence be known (HoldIdle, as `freshet demo` has it).
//   - max_wait (default 30 s) must be longer than a partition may be out of reach; then the merge goes on without it, see TestForced.
func TestPartitionsReadHoursApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, settings string
		unwritten      bool // the second partition's records are written late, rather than handed out late
	}{
		{"read to the end", "max_skew: 48h\n", false},
		{"kept together", "", false},
		{"written late", "max_skew: 48h\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const events = 2_000
			b, cluster, recs := emptyBench(t, testPipeline+c.settings, events, 2, 1)
			for _, r := range recs {
				r.Partition = int32(r.Key[len(r.Key)-1] & 1)
			}
			first := slices.DeleteFunc(slices.Clone(recs), func(r *kgo.Record) bool { return r.Topic == "transactions" && r.Partition == 1 })
			second := slices.DeleteFunc(slices.Clone(recs), func(r *kgo.Record) bool { return r.Topic != "transactions" || r.Partition == 0 })
			if apart := eventTime(t, first[len(first)-2]) - eventTime(t, second[0]); apart < 12*3_600_000 {
				t.Fatalf("the partitions are only %d ms apart", apart)
			}
			var held atomic.Bool
			held.Store(true)
			manual := kgo.RecordPartitioner(kgo.ManualPartitioner())
			past := int64(0)
			for _, r := range recs {
				if r.Topic == "transactions" && eventTime(t, r) <= eventTime(t, second[0]) {
					past++
				}
			}
			b.feed(second[:1], manual)
			second = second[1:]
			b.feed(first, manual)
			o := memberOptions{extra: []kgo.Opt{kgo.DisableFetchSessions()}} // each fetch names its partitions, so that the broker can leave one out
			if c.unwritten {
				o.hold = held.Load
			} else {
				b.feed(second, manual)
				holdBack(cluster, "transactions", 1, &held)
			}
			one := b.join("one", o)
			seen := b.follow("p.features")
			if c.settings != "" {
				b.until("the end of the first partition", func() bool { return b.committed("transactions", 0) == b.end("transactions", 0) }, one)
			} else {
				b.until("a commit", func() bool { return one.e.Commits.Commits.Load() > 0 && b.committed("transactions", 0) > 0 }, one)
			}
			if n := seen.Load(); n > past {
				t.Errorf("%d events went past the partition that is held back, at most %d may", n, past)
			}
			if c.unwritten {
				b.feed(second, manual)
			}
			held.Store(false)
			b.until("all events", func() bool { return seen.Load() >= int64(b.n) && one.e.Quiet() }, one)
			one.stop()
			b.compare(b.history(events))
			for i, s := range b.topo.Stages {
				if st := one.e.Stats(i); st.Behind.Load()+st.Forced.Load() > 0 {
					t.Errorf("%s: %d rows behind, %d forced", s.Name, st.Behind.Load(), st.Forced.Load())
				}
			}
		})
	}
}

func eventTime(t *testing.T, r *kgo.Record) int64 {
	t.Helper()
	var v struct{ TS, Reported_at int64 }
	if err := stdjson.Unmarshal(r.Value, &v); err != nil {
		t.Fatal(err)
	}
	return max(v.TS, v.Reported_at)
}

// holdBack makes the broker hand out no more than the first batch of a partition while held is set.
func holdBack(c *kfake.Cluster, topic string, part int32, held *atomic.Bool) {
	id := c.TopicInfo(topic).TopicID
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.FetchRequest)
		if !held.Load() {
			return nil, nil, false
		}
		for i := range req.Topics {
			if rt := &req.Topics[i]; rt.Topic == topic || rt.TopicID == id {
				rt.Partitions = slices.DeleteFunc(rt.Partitions, func(p kmsg.FetchRequestTopicPartition) bool { return p.Partition == part && p.FetchOffset > 0 })
				for j := range rt.Partitions {
					if p := &rt.Partitions[j]; p.Partition == part {
						p.PartitionMaxBytes = 1 // one batch
					}
				}
			}
		}
		return nil, nil, false
	})
}

func (b *bench) committed(topic string, part int32) int64 {
	cl := b.client()
	defer cl.Close()
	os, err := kadm.NewClient(cl).FetchOffsetsForTopics(context.Background(), "p", topic)
	if err != nil {
		return -1 // no group yet
	}
	o, _ := os.Lookup(topic, part)
	return o.At
}

func (b *bench) end(topic string, part int32) int64 {
	cl := b.client()
	defer cl.Close()
	os, err := kadm.NewClient(cl).ListEndOffsets(context.Background(), topic)
	if err != nil {
		b.t.Fatal(err)
	}
	o, _ := os.Lookup(topic, part)
	return o.Offset
}
