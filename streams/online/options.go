package online

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"
)

// Format is how a value lies in Redis. The embedded store keeps both forms.
type Format uint8

const (
	Packed Format = iota // one string: order, then the Avro record
	Hash                 // a hash of readable fields; 4 to 7 times as dear to read for 100 entities
)

// FormatOf returns the Format with the given name; "" is Packed.
func FormatOf(name string) (Format, error) {
	switch name {
	case "", "packed":
		return Packed, nil
	case "hash":
		return Hash, nil
	}
	return 0, fmt.Errorf("online.format: unknown format %q: expected packed or hash", name)
}

// Options configures a store. Zero values mean the defaults written beside the fields; only Pipeline must be given.
type Options struct {
	Pipeline string // the pipeline's name: part of every key. No ':', '{' or '}'

	// Redis.
	Prefix       string        // first part of every key: "f"
	Format       Format        // Packed
	Addresses    []string      // host:port; several are the seeds of a cluster: "localhost:6379"
	Cluster      bool          // true for a cluster given by one address
	Username     string        // ACL user; "" is Redis's default user
	Password     string        //
	TLS          *tls.Config   // nil: no TLS
	DB           int           // database number, 0; a cluster has only 0
	PoolSize     int           // connections per server: 10 a core
	Chunk        int           // upserts or keys of one pipeline: 500
	DialTimeout  time.Duration // 2 s
	ReadTimeout  time.Duration // 3 s, also for writing
	MaxRetries   int           // of the client, inside one call: 2; negative: none. The Writer retries for ever, with back-off
	RetryBackoff time.Duration // first pause between them, doubling up to 500 ms: 10 ms

	// Embedded.
	MaxBytes int64            // keys and values, with 160 bytes an entity for the bookkeeping: 1 GiB
	Shards   int              // locks; rounded up to a power of two: 32
	Clock    func() time.Time // what TTLs are measured with: time.Now. Event time makes a replay expire as the live run did
}

// Kind is one implementation of Store. Kinds is the table that validation, documentation and the conformance test loop over.
type Kind struct {
	Name string // in the pipeline file: online: {store: NAME}
	Doc  string
	Open func(Options) (Store, error)
}

// Kinds returns the stores there are. Adding one is a file and a line here.
func Kinds() []Kind {
	return []Kind{
		{"redis", "Redis 6 or newer, or anything that speaks its protocol with Lua scripts; single server or cluster", func(o Options) (Store, error) { return OpenRedis(o) }},
		{"embedded", "in the memory of this process, bounded by online.max_bytes; gone when it stops", func(o Options) (Store, error) { return OpenEmbedded(o) }},
	}
}

// Open opens the store of that kind. It does not wait for a server: a store that is not up yet is an error of Ping, not of Open.
func Open(kind string, o Options) (Store, error) {
	var names []string
	for _, k := range Kinds() {
		if k.Name == kind {
			return k.Open(o)
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("online.store: unknown store %q: expected one of %s", kind, strings.Join(names, ", "))
}

func (o Options) withDefaults() (Options, error) {
	def(&o.Prefix, "f")
	if len(o.Addresses) == 0 {
		o.Addresses = []string{"localhost:6379"}
	}
	def(&o.Chunk, 500)
	def(&o.DialTimeout, 2*time.Second)
	def(&o.ReadTimeout, 3*time.Second)
	def(&o.MaxRetries, 2)
	def(&o.RetryBackoff, 10*time.Millisecond)
	def(&o.MaxBytes, 1<<30)
	def(&o.Shards, 32)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	var bad []string
	if o.Pipeline == "" {
		bad = append(bad, "pipeline: the name is empty")
	}
	// A brace would be read as a cluster's hash tag and put the whole pipeline on one server.
	if strings.ContainsAny(o.Pipeline, ":{}") {
		bad = append(bad, fmt.Sprintf("pipeline: the name %q must not contain ':', '{' or '}' where it is part of online keys", o.Pipeline))
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		bad = append(bad, fmt.Sprintf("online.prefix: %q must not contain '{' or '}'", o.Prefix))
	}
	for _, a := range o.Addresses {
		if i := strings.LastIndexByte(a, ':'); i < 0 || i == len(a)-1 || strings.Contains(a, "/") {
			bad = append(bad, fmt.Sprintf("online.addresses: %q: expected host:port", withoutUser(a)))
		}
	}
	if o.DB < 0 || o.DB > 0 && o.isCluster() {
		bad = append(bad, fmt.Sprintf("online.db: %d: expected 0 or more, and 0 for a cluster", o.DB))
	}
	if o.Chunk < 0 || o.PoolSize < 0 || o.MaxBytes < 0 || o.Shards < 0 || o.DialTimeout < 0 || o.ReadTimeout < 0 {
		bad = append(bad, "online: chunk, pool_size, max_bytes, shards and timeouts must not be negative")
	}
	if bad != nil {
		return o, &Error{Class: Config, Store: "online store", Hint: strings.Join(bad, "; ")}
	}
	return o, nil
}

func (o Options) isCluster() bool { return o.Cluster || len(o.Addresses) > 1 }

// withoutUser cuts what may be a password out of an address that was given as a URL.
func withoutUser(a string) string {
	if i := strings.LastIndexByte(a, '@'); i >= 0 {
		return "…" + a[i:]
	}
	return a
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// check refuses what could not be told apart in a key.
func (u *Upsert) check(store string) error {
	return checkKey(store, u.Entity, u.Key)
}

func checkKey(store, entity string, key []byte) error {
	switch {
	case entity == "" || strings.ContainsAny(entity, ":{}\x00"):
		return &Error{Class: Config, Store: store, Hint: fmt.Sprintf("entity name %q: expected a name without ':', '{' and '}'", entity)}
	case len(key) == 0:
		return &Error{Class: Config, Store: store, Hint: fmt.Sprintf("an empty key for entity %q", entity)}
	}
	return nil
}

// ttlMs is d in milliseconds, rounded up so that a positive TTL never becomes "for ever".
func ttlMs(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
