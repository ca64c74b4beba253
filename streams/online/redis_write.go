package online

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/redis/go-redis/v9"
)

const (
	// keysPerScript bounds for how long one script keeps other clients waiting (about 0.4 ms); measured in the package comment.
	keysPerScript = 100
	// chunkBytes ends a pipeline early when values are large, so that no request outgrows the server's and our buffers.
	chunkBytes = 4 << 20
)

// request holds the arguments of one pipeline: the bytes of all keys and values in one string, and strings that are parts of it. go-redis
// takes *string and *int64, so nothing is boxed; all but that one string is reused after the pipeline has been answered.
type request struct {
	buf  []byte
	ends []int
	strs []string
	ttls []int64
	args []any
}

func (q *request) reset() {
	clear(q.strs)
	clear(q.args)
	q.buf, q.ends, q.strs, q.ttls = q.buf[:0], q.ends[:0], q.strs[:0], q.ttls[:0]
	q.args = q.args[:0]
}

func (q *request) end() { q.ends = append(q.ends, len(q.buf)) }

// seal makes the strings, once buf is complete.
func (q *request) seal() {
	all, start := string(q.buf), 0
	for _, e := range q.ends {
		q.strs = append(q.strs, all[start:e])
		start = e
	}
}

// Upsert implements Store: one round trip for each Options.Chunk values.
func (r *Redis) Upsert(ctx context.Context, batch []Upsert) (applied int, err error) {
	for i := range batch {
		if err := batch[i].check(r.name); err != nil {
			return 0, err
		}
	}
	for len(batch) > 0 {
		n, size := 0, 0
		for n < len(batch) && n < r.o.Chunk && size < chunkBytes {
			size += len(batch[n].Key) + len(batch[n].Value)
			for _, f := range batch[n].Fields {
				size += len(f.Name) + len(f.Text)
			}
			n++
		}
		got, err := r.chunk(ctx, batch[:n])
		applied += got
		if err != nil {
			return applied, r.fail("write", err)
		}
		batch = batch[n:]
	}
	return applied, nil
}

// chunk sends one pipeline. A server that does not know the script (first use, restart, fail-over) is taught it once and asked
// again: repeating is harmless because an equal order is applied again.
func (r *Redis) chunk(ctx context.Context, batch []Upsert) (int, error) {
	q := r.requests.Get().(*request)
	defer func() { q.reset(); r.requests.Put(q) }()
	script, build := packedScript, r.packedArgs
	if r.o.Format == Hash {
		script, build = hashScript, r.hashArgs
	}
	for taught := false; ; taught = true {
		q.reset()
		p := r.c.Pipeline()
		build(ctx, p, q, batch, script.Hash())
		applied, err := exec(ctx, p)
		if taught || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return applied, err
		}
		if err := r.everyServer(ctx, func(ctx context.Context, c *redis.Client) error { return script.Load(ctx, c).Err() }); err != nil {
			return 0, err
		}
	}
}

// exec runs a pipeline of scripts and sums their answers; the error is the first of theirs. When a connection cannot be set up (wrong
// password), only Exec says so and the commands have neither value nor error.
func exec(ctx context.Context, p redis.Pipeliner) (applied int, err error) {
	cmds, execErr := p.Exec(ctx)
	for _, c := range cmds {
		v, e := c.(*redis.Cmd).Result()
		if e != nil && err == nil {
			err = e
		}
		if n, ok := v.(int64); ok && e == nil {
			applied += int(n)
		}
	}
	if err == nil {
		err = execErr
	}
	return applied, err
}

func (r *Redis) packedArgs(ctx context.Context, p redis.Pipeliner, q *request, batch []Upsert, sha string) {
	for i := range batch {
		u := &batch[i]
		q.buf = r.appendKey(q.buf, u.Entity, u.Key)
		q.end()
		q.buf = append(append(q.buf, u.Order[:]...), u.Value...)
		q.end()
		q.ttls = append(q.ttls, ttlMs(u.TTL))
	}
	q.seal()
	q.args = slices.Grow(q.args, 6*len(batch)) // commands keep slices of args, so it must not move
	per := keysPerScript
	if r.perKey {
		per = 1
	}
	for at := 0; at < len(batch); at += per {
		n := min(per, len(batch)-at)
		from := len(q.args)
		q.args = append(q.args, "evalsha", sha, n)
		for i := at; i < at+n; i++ {
			q.args = append(q.args, &q.strs[2*i])
		}
		for i := at; i < at+n; i++ {
			q.args = append(q.args, &q.strs[2*i+1], &q.ttls[i])
		}
		_ = p.Process(ctx, redis.NewCmd(ctx, q.args[from:len(q.args):len(q.args)]...)) // a pipeline only queues
	}
}

func (r *Redis) hashArgs(ctx context.Context, p redis.Pipeliner, q *request, batch []Upsert, sha string) {
	fields := 0
	for i := range batch {
		u := &batch[i]
		q.buf = r.appendKey(q.buf, u.Entity, u.Key)
		q.end()
		q.buf = hex.AppendEncode(q.buf, u.Order[:])
		q.end()
		q.ttls = append(q.ttls, ttlMs(u.TTL))
		fields += len(u.Fields)
	}
	q.seal()
	q.args = slices.Grow(q.args, 6*len(batch)+2*fields)
	for i := range batch {
		from := len(q.args)
		q.args = append(q.args, "evalsha", sha, 1, &q.strs[2*i], &q.strs[2*i+1], &q.ttls[i])
		for f := range batch[i].Fields {
			q.args = append(q.args, &batch[i].Fields[f].Name, &batch[i].Fields[f].Text)
		}
		_ = p.Process(ctx, redis.NewCmd(ctx, q.args[from:len(q.args):len(q.args)]...))
	}
}
