package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"

	"freshet/streams"
)

// Options say how to reach the brokers and as whom.
type Options struct {
	Brokers     []string
	Group       string // consumer group; by default the pipeline's name
	Instance    string // names this process within the group: after a restart it gets its partitions back at once, and its old transaction ends
	Topics      []string
	AtLeastOnce bool

	TLS         *tls.Config
	SASL        sasl.Mechanism
	Compression string        // none (default), lz4, snappy, zstd
	Session     time.Duration // a process that is silent this long loses its partitions; default 30s
	Heartbeat   time.Duration // how soon a process hears that the group changes; default a third of Session, at most 3s
	TxTimeout   time.Duration // default 60s
	MaxRecord   int32         // bytes; default 12 MiB. Larger records are refused when produced
	MaxBatch    int32         // bytes; default 1,000,000, below the brokers' own default limit
	BigTopics   []string      // topics that may hold records up to MaxRecord (dead letters)
	Linger      time.Duration // default 5ms
	Log         *slog.Logger
	Extra       []kgo.Opt // tests
}

func (o *Options) defaults() {
	if o.Session <= 0 {
		o.Session = 30 * time.Second
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = min(3*time.Second, o.Session/3)
	}
	if o.TxTimeout <= 0 {
		o.TxTimeout = time.Minute
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = 12 << 20
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 1_000_000
	}
	if o.Linger <= 0 {
		o.Linger = 5 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// connect are the options that every client shares.
func (o *Options) connect() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(o.Brokers...), kgo.ClientID("freshet"), kgo.RetryTimeout(20 * time.Second),
		kgo.MetadataMaxAge(5 * time.Second)} // a broker that has just started may not know its topics yet; the default asks again after five minutes
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if o.SASL != nil {
		opts = append(opts, kgo.SASL(o.SASL))
	}
	return append(opts, o.Extra...)
}

// Client is a member of the group with a producer: a streams.Broker.
type Client struct {
	o     Options
	cl    *kgo.Client
	sess  *kgo.GroupTransactSession // exactly once
	adm   *kadm.Client
	owner streams.Owner
	ready chan struct{} // closed when the fields above are set: the group may answer before Open returns

	balancer balancer
	stop     context.CancelFunc // cuts off everything that the client is doing

	mu      sync.Mutex
	given   map[streams.Partition]bool // partitions that the owner was told are its own
	failed  error                      // first failed produce since the last commit, or a failure that ends this client
	records []kgo.Record
}

// Open joins the group; partitions arrive at g from then on.
func Open(o Options, g streams.Owner) (*Client, error) {
	o.defaults()
	c := &Client{o: o, owner: g, ready: make(chan struct{}), balancer: balancer{GroupBalancer: kgo.CooperativeStickyBalancer()}, given: map[streams.Partition]bool{}}
	big := map[string]bool{}
	for _, t := range o.BigTopics {
		big[t] = true
	}
	life, stop := context.WithCancel(context.Background())
	c.stop = stop
	opts := append(o.connect(), kgo.WithContext(life),
		kgo.ConsumerGroup(o.Group), kgo.ConsumeTopics(o.Topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(), kgo.KeepControlRecords(), kgo.DisableAutoCommit(),
		kgo.Balancers(&c.balancer), kgo.SessionTimeout(o.Session), kgo.HeartbeatInterval(o.Heartbeat),
		kgo.AdjustFetchOffsetsFn(c.assigned),
		kgo.OnPartitionsRevoked(c.lost), kgo.OnPartitionsLost(c.lost),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.FetchMaxPartitionBytes(1<<20), kgo.FetchMaxBytes(16<<20), kgo.BrokerMaxReadBytes(64<<20),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 {
			if big[topic] {
				return o.MaxRecord
			}
			return o.MaxBatch
		}),
		kgo.ProducerLinger(o.Linger), kgo.MaxBufferedRecords(200_000), kgo.MaxBufferedBytes(256<<20),
		kgo.ProducerBatchCompression(codec(o.Compression)), kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}),
	)
	if o.Instance != "" {
		opts = append(opts, kgo.InstanceID(o.Instance))
	}
	var err error
	if o.AtLeastOnce {
		c.cl, err = kgo.NewClient(opts...)
	} else {
		opts = append(opts, kgo.TransactionalID(o.Group+"."+o.Instance), kgo.TransactionTimeout(o.TxTimeout))
		if c.sess, err = kgo.NewGroupTransactSession(opts...); err == nil {
			c.cl = c.sess.Client()
			err = c.sess.Begin()
		}
		if err == nil {
			// Begin passes over a broker that is away. Asking for the producer's id ends the transaction that a former client of this name
			// left open; until it ends, or times out, the group's offsets are unstable and no partition is given to anybody.
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			_, _, err = c.cl.ProducerID(ctx)
			cancel()
		}
	}
	if err == nil && c.sess == nil {
		// A group member would try to log in for ever, and say nothing. Brokers that are away are waited for; a refusal is final.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if perr := c.cl.Ping(ctx); refuses(perr) {
			err = perr
		}
		cancel()
	}
	if err != nil {
		if c.cl != nil {
			c.shut()
		}
		stop()
		return nil, fmt.Errorf("kafka: %w", explain(err))
	}
	c.adm = kadm.NewClient(c.cl)
	close(c.ready)
	return c, nil
}

func codec(name string) kgo.CompressionCodec {
	switch name {
	case "lz4":
		return kgo.Lz4Compression()
	case "snappy":
		return kgo.SnappyCompression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

// partitioner obeys a partition that is given and hashes keys like the Java client otherwise.
type partitioner struct{ kgo.Partitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.Partitioner.ForTopic(topic)}
}

type topicPartitioner struct{ kgo.TopicPartitioner }

func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicPartitioner.RequiresConsistency(r)
}

func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// assigned hands newly owned partitions to the engine and returns where to read them from.
func (c *Client) assigned(ctx context.Context, at map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	select {
	case <-c.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	topics := make([]string, 0, len(at))
	for t := range at {
		topics = append(topics, t)
	}
	// The offsets are stable here (no transaction of a former owner is open); the metadata beside them needs a request of its own.
	meta, err := c.adm.FetchOffsetsForTopics(ctx, c.o.Group, topics...)
	if err != nil {
		err = fmt.Errorf("committed offsets of group %s: %w", c.o.Group, explain(err))
		if refuses(err) {
			c.fail(err)
		}
		return nil, err
	}
	parts := map[streams.Partition]streams.Committed{}
	for t, ps := range at {
		for p, o := range ps {
			com := streams.Committed{Offset: max(o.EpochOffset().Offset, -1), Seq: -1}
			if m, ok := meta.Lookup(t, p); ok && m.At >= 0 {
				com.Offset = m.At
				com.Seq = parseMeta(m.Metadata)
			}
			parts[streams.Partition{Topic: t, Num: p}] = com
		}
	}
	if err := c.owner.Clear(ctx, slices.Collect(maps.Keys(parts))); err != nil {
		return nil, err
	}
	from, err := c.owner.Assigned(parts)
	if err != nil {
		c.fail(err)
		return nil, err
	}
	c.mu.Lock()
	for p := range parts {
		c.given[p] = true
	}
	c.mu.Unlock()
	for p, o := range from {
		if o <= 0 {
			at[p.Topic][p.Num] = kgo.NewOffset().AtStart()
		} else {
			at[p.Topic][p.Num] = kgo.NewOffset().At(o).WithEpoch(-1)
		}
	}
	return at, nil
}

func (c *Client) lost(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	var parts []streams.Partition
	for t, ps := range lost {
		for _, p := range ps {
			parts = append(parts, streams.Partition{Topic: t, Num: p})
		}
	}
	c.lose(parts)
}

func (c *Client) lose(parts []streams.Partition) {
	c.mu.Lock()
	for _, p := range parts {
		delete(c.given, p)
	}
	c.mu.Unlock()
	c.owner.Lost(parts)
}

// reconcile tells the owner of losses that it was not told of: the transaction session passes on only the first one in each
// transaction. It is called when a transaction was aborted, so that nothing of what those tasks did can count.
func (c *Client) reconcile() {
	now := c.balancer.assigned()
	if now == nil {
		return
	}
	var gone []streams.Partition
	c.mu.Lock()
	for p := range c.given {
		if !slices.Contains(now[p.Topic], p.Num) {
			gone = append(gone, p)
		}
	}
	c.mu.Unlock()
	if len(gone) > 0 {
		c.lose(gone)
	}
}

// balancer remembers what the group last assigned to this member.
type balancer struct {
	kgo.GroupBalancer
	last atomic.Pointer[map[string][]int32]
}

func (b *balancer) ParseSyncAssignment(p []byte) (map[string][]int32, error) {
	m, err := b.GroupBalancer.ParseSyncAssignment(p)
	if err == nil {
		keep := maps.Clone(m)
		b.last.Store(&keep)
	}
	return m, err
}

func (b *balancer) assigned() map[string][]int32 {
	if m := b.last.Load(); m != nil {
		return *m
	}
	return nil
}

// fail remembers the first failure; it comes out at the next Poll or Commit.
func (c *Client) fail(err error) {
	c.mu.Lock()
	if c.failed == nil {
		c.failed = err
	}
	c.mu.Unlock()
}

func (c *Client) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Poll returns what has arrived, waiting until ctx is done.
func (c *Client) Poll(ctx context.Context, n int) ([]streams.Fetched, error) {
	if err := c.failure(); err != nil {
		return nil, err
	}
	fs := c.cl.PollRecords(ctx, n)
	if fs.IsClientClosed() {
		return nil, kgo.ErrClientClosed
	}
	var out []streams.Fetched
	var err error
	fs.EachPartition(func(p kgo.FetchTopicPartition) {
		if e := p.Err; e != nil && !errors.Is(e, context.DeadlineExceeded) && !errors.Is(e, context.Canceled) {
			if !kerr.IsRetriable(e) {
				if err = explain(e); p.Topic != "" {
					err = fmt.Errorf("reading %s/%d: %w", p.Topic, p.Partition, err)
				}
			} else {
				c.o.Log.Warn("reading", "topic", p.Topic, "partition", p.Partition, "error", e)
			}
		}
		if len(p.Records) == 0 {
			return
		}
		f := streams.Fetched{Partition: streams.Partition{Topic: p.Topic, Num: p.Partition}, Records: make([]streams.Record, len(p.Records))}
		for i, r := range p.Records {
			f.Records[i] = streams.Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Control: r.Attrs.IsControl(), Key: r.Key, Value: r.Value}
		}
		out = append(out, f)
	})
	return out, err
}

// Produce sends one record. Records are carved out of chunks: one allocation for many.
func (c *Client) Produce(topic string, partition int32, key, value []byte) {
	c.mu.Lock()
	if len(c.records) == 0 {
		c.records = make([]kgo.Record, 256)
	}
	r := &c.records[0]
	c.records = c.records[1:]
	c.mu.Unlock()
	r.Topic, r.Partition, r.Key, r.Value = topic, partition, key, value
	c.cl.Produce(context.Background(), r, c.produced)
}

func (c *Client) produced(r *kgo.Record, err error) {
	if err != nil {
		c.fail(fmt.Errorf("writing to %s: %w", r.Topic, explain(err)))
	}
}

// Seek reads partitions from these offsets from now on.
func (c *Client) Seek(to map[streams.Partition]int64) {
	set := map[string]map[int32]kgo.EpochOffset{}
	for p, o := range to {
		if set[p.Topic] == nil {
			set[p.Topic] = map[int32]kgo.EpochOffset{}
		}
		set[p.Topic][p.Num] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	c.cl.SetOffsets(set)
}

func byTopic(parts []streams.Partition) map[string][]int32 {
	m := map[string][]int32{}
	for _, p := range parts {
		m[p.Topic] = append(m[p.Topic], p.Num)
	}
	return m
}

// Pause stops reading of partitions until Resume.
func (c *Client) Pause(parts []streams.Partition)  { c.cl.PauseFetchPartitions(byTopic(parts)) }
func (c *Client) Resume(parts []streams.Partition) { c.cl.ResumeFetchPartitions(byTopic(parts)) }

// Ends returns the last stable offset of each partition.
func (c *Client) Ends(ctx context.Context, parts []streams.Partition) (map[streams.Partition]int64, error) {
	m := byTopic(parts)
	topics := make([]string, 0, len(m))
	for t := range m {
		topics = append(topics, t)
	}
	listed, err := c.adm.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		if refuses(err) {
			c.fail(explain(err)) // the clients below would go on trying
		}
		return nil, fmt.Errorf("end offsets: %w", explain(err))
	}
	out := map[streams.Partition]int64{}
	for _, p := range parts {
		if l, ok := listed.Lookup(p.Topic, p.Num); ok && l.Err == nil {
			out[p] = l.Offset
		}
	}
	return out, nil
}

// Close leaves the group.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.sess != nil {
		// Rows folded since the last commit are not wanted any more.
		_ = c.cl.AbortBufferedRecords(ctx)
		_ = c.cl.EndTransaction(ctx, kgo.TryAbort)
	}
	c.shut() // first: while the client lives it would join again as soon as it hears that it has left
	if c.o.Instance == "" {
		return
	}
	cl, err := kgo.NewClient(append(c.o.connect(), kgo.RetryTimeout(closeLimit))...)
	if err == nil {
		_, err = kadm.NewClient(cl).LeaveGroup(ctx, kadm.LeaveGroup(c.o.Group).Reason("freshet stops").InstanceIDs(c.o.Instance))
		cl.Close()
	}
	if err != nil {
		c.o.Log.Debug("leaving group", "error", err)
	}
}

// closeLimit bounds how long a client that closes waits for a group that is joining.
const closeLimit = time.Second

// shut closes the client. It may be in the middle of joining, which waits for all other members and can only be cut off.
func (c *Client) shut() {
	defer c.stop()
	defer time.AfterFunc(closeLimit, c.stop).Stop()
	c.cl.CloseAllowingRebalance()
}

// Kill closes the connections without leaving the group or ending the transaction, as a crash would. For tests.
func (c *Client) Kill() {
	c.stop()
	c.cl.CloseAllowingRebalance()
}

const metaPrefix = "freshet:1:"

func formatMeta(seq int64) string { return metaPrefix + strconv.FormatInt(seq, 10) }

func parseMeta(s string) int64 {
	if n, err := strconv.ParseInt(strings.TrimPrefix(s, metaPrefix), 10, 64); err == nil && strings.HasPrefix(s, metaPrefix) {
		return n
	}
	return -1
}
