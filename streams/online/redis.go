package online

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// orderField holds the order in a value of the hash format.
const orderField = "_order"

// Redis is a Store in Redis: see the package comment for keys and values.
type Redis struct {
	c        redis.UniversalClient
	o        Options
	name     string // for errors: addresses, never a password
	prefix   string // "f:card-fraud:"
	perKey   bool   // one script a key: a cluster, or the hash format
	closed   atomic.Bool
	requests sync.Pool // *request
}

// OpenRedis returns a store on Options.Addresses. It connects with the first call, so a server that is not up yet is no error here.
func OpenRedis(o Options) (*Redis, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: o.Addresses, IsClusterMode: o.isCluster(), DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLS,
		PoolSize: o.PoolSize, DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.ReadTimeout, PoolTimeout: o.ReadTimeout + time.Second,
		MaxRetries: o.MaxRetries, MinRetryBackoff: o.RetryBackoff, MaxRetryBackoff: max(500*time.Millisecond, o.RetryBackoff),
		ContextTimeoutEnabled: true,
		DialerRetries:         1, // the calls above are retried already
		// RESP2 and no CLIENT commands: proxies and users with few permissions need nothing more than what is listed in the NOPERM hint.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	r := &Redis{c: c, o: o, name: "redis " + strings.Join(o.Addresses, ","), prefix: o.Prefix + ":" + o.Pipeline + ":",
		perKey: o.isCluster() || o.Format == Hash}
	r.requests.New = func() any { return new(request) }
	return r, nil
}

// QuietClientLog silences the lines that go-redis writes to standard error when it cannot connect. It is process-wide, so it is for
// main to call; every such error also reaches the caller.
func QuietClientLog() { logging.Disable() }

func (r *Redis) appendKey(dst []byte, entity string, key []byte) []byte {
	return append(append(append(append(dst, r.prefix...), entity...), ':'), key...)
}

// Get implements Store. One round trip.
func (r *Redis) Get(ctx context.Context, entity string, key []byte) (Stored, bool, error) {
	if err := checkKey(r.name, entity, key); err != nil {
		return Stored{}, false, err
	}
	k := string(r.appendKey(nil, entity, key))
	var st Stored
	var err error
	if r.o.Format == Hash {
		st, err = r.hashed(r.c.HGetAll(ctx, k))
	} else {
		st, err = r.packed(r.c.Get(ctx, k).Bytes())
	}
	if err != nil {
		return Stored{}, false, r.fail("read", err)
	}
	return st, st.Found, nil
}

// MGet implements Store: one round trip for each Options.Chunk keys; MGET on a single server, pipelined reads otherwise.
func (r *Redis) MGet(ctx context.Context, entity string, keys [][]byte) ([]Stored, error) {
	out := make([]Stored, 0, len(keys))
	for part := range slices.Chunk(keys, r.o.Chunk) {
		names := make([]string, len(part))
		for i, k := range part {
			if err := checkKey(r.name, entity, k); err != nil {
				return nil, err
			}
			names[i] = string(r.appendKey(nil, entity, k))
		}
		var err error
		if r.perKey {
			out, err = r.pipelined(ctx, names, out)
		} else {
			out, err = r.mget(ctx, names, out)
		}
		if err != nil {
			return nil, r.fail("read", err)
		}
	}
	return out, nil
}

func (r *Redis) mget(ctx context.Context, names []string, out []Stored) ([]Stored, error) {
	vals, err := r.c.MGet(ctx, names...).Result()
	if err != nil {
		return nil, err
	}
	for _, v := range vals {
		s, ok := v.(string)
		if !ok {
			out = append(out, Stored{})
			continue
		}
		st, err := r.packed([]byte(s), nil)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func (r *Redis) pipelined(ctx context.Context, names []string, out []Stored) ([]Stored, error) {
	p := r.c.Pipeline()
	for _, k := range names {
		if r.o.Format == Hash {
			p.HGetAll(ctx, k)
		} else {
			p.Get(ctx, k)
		}
	}
	cmds, execErr := p.Exec(ctx) // the first of the commands' errors, or that of the connection, which they do not have
	if execErr != nil && !slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Err() != nil }) {
		return nil, execErr
	}
	for _, c := range cmds {
		var st Stored
		var err error
		switch c := c.(type) {
		case *redis.MapStringStringCmd:
			st, err = r.hashed(c)
		case *redis.StringCmd:
			st, err = r.packed(c.Bytes())
		}
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// packed splits a stored string. A key that is missing, or that another format wrote, is not found.
func (r *Redis) packed(b []byte, err error) (Stored, error) {
	switch {
	case err == redis.Nil || redis.HasErrorPrefix(err, "WRONGTYPE"):
		return Stored{}, nil
	case err != nil:
		return Stored{}, err
	case len(b) < OrderSize:
		return Stored{}, &Error{Class: Config, Store: r.name, Op: "read",
			Hint: fmt.Sprintf("a value of %d bytes lies under %s, which freshet did not write: expected %d or more; choose another online.prefix", len(b), r.prefix, OrderSize)}
	}
	return Stored{Found: true, Order: [OrderSize]byte(b), Value: b[OrderSize:]}, nil
}

func (r *Redis) hashed(c *redis.MapStringStringCmd) (Stored, error) {
	m, err := c.Result()
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE") || err == nil && len(m) == 0:
		return Stored{}, nil
	case err != nil:
		return Stored{}, err
	}
	st := Stored{Found: true, Fields: make([]Field, 0, len(m))}
	if n, err := hex.Decode(st.Order[:], []byte(m[orderField])[:min(len(m[orderField]), 2*OrderSize)]); err != nil || n != OrderSize {
		return Stored{}, &Error{Class: Config, Store: r.name, Op: "read",
			Hint: fmt.Sprintf("a hash without a valid %s lies under %s, which freshet did not write; choose another online.prefix", orderField, r.prefix)}
	}
	for k, v := range m {
		if k != orderField {
			st.Fields = append(st.Fields, Field{k, v})
		}
	}
	slices.SortFunc(st.Fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return st, nil
}

// Count implements Store with SCAN over every server.
func (r *Redis) Count(ctx context.Context) (int64, error) {
	var n atomic.Int64
	match := globEscape.Replace(r.prefix) + "*"
	count := func(ctx context.Context, c *redis.Client) error {
		for cursor := uint64(0); ; {
			keys, next, err := c.Scan(ctx, cursor, match, 1000).Result()
			if err != nil {
				return err
			}
			n.Add(int64(len(keys)))
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if err := r.everyServer(ctx, count); err != nil {
		return 0, r.fail("count", err)
	}
	return n.Load(), nil
}

var globEscape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// everyServer calls f for the server, or for each master of a cluster, concurrently.
func (r *Redis) everyServer(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch c := r.c.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, f)
	case *redis.Client:
		return f(ctx, c)
	}
	panic(fmt.Sprintf("BUG: a redis client of type %T", r.c))
}

// Ping implements Store.
func (r *Redis) Ping(ctx context.Context) error {
	return r.fail("ping", r.everyServer(ctx, func(ctx context.Context, c *redis.Client) error { return c.Ping(ctx).Err() }))
}

// Close implements Store. Calls in flight end with ErrClosed.
func (r *Redis) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	return r.c.Close()
}
