package online_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"freshet/streams/online"
	"freshet/streams/online/onlinetest"
)

var secretKey = []byte("4929-0031-SECRET")

// fails writes and reads, and checks class and text of the errors; no text may show a key or a password.
func fails(t *testing.T, o online.Options, config bool, want string) {
	t.Helper()
	o.MaxRetries = -1
	if o.DialTimeout == 0 {
		o.DialTimeout = 10 * time.Second
	}
	st := opener("redis", o)(t, "p")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := st.Upsert(ctx, []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)})
	_, _, rerr := st.Get(ctx, "card", secretKey)
	for _, err := range []error{err, rerr} {
		if err == nil || online.IsConfig(err) != config || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v (config %v); want config %v and %q", err, online.IsConfig(err), config, want)
			continue
		}
		for _, s := range []string{string(secretKey), "wrong-password", "right-password"} {
			if strings.Contains(err.Error(), s) {
				t.Errorf("%q shows %q", err, s)
			}
		}
	}
	t.Log(err)
}

func TestRedisErrors(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "acl")
	acl := "user default off\nuser freshet on >right-password ~f:* +ping +get +mget +getrange +set +del +hget +hgetall +hset +pexpire +evalsha +script|load +scan\n" +
		"user noscript on >right-password ~f:* +get +set +getrange\nuser elsewhere on >right-password ~g:* +@all\n"
	if err := os.WriteFile(conf, []byte(acl), 0o600); err != nil {
		t.Fatal(err)
	}
	withACL := onlinetest.StartRedis(t, "--aclfile", conf)
	open := onlinetest.StartRedis(t)
	at := func(r *onlinetest.Redis, user, pass string) online.Options {
		return online.Options{Addresses: []string{r.Addr}, Username: user, Password: pass}
	}
	t.Run("the documented permissions suffice", func(t *testing.T) {
		for _, f := range []online.Format{online.Packed, online.Hash} {
			o := at(withACL, "freshet", "right-password")
			o.Format = f
			st := opener("redis", o)(t, fmt.Sprint("perm", f))
			ctx := context.Background()
			if n, err := st.Upsert(ctx, []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if _, err := st.MGet(ctx, "card", [][]byte{secretKey}); err != nil {
				t.Fatal(err)
			}
			if _, err := st.Count(ctx); err != nil {
				t.Fatal(err)
			}
			if err := st.Ping(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("no password", func(t *testing.T) { fails(t, at(withACL, "", ""), true, "set online.password") })
	t.Run("wrong password", func(t *testing.T) {
		fails(t, at(withACL, "freshet", "wrong-password"), true, "correct online.username and online.password")
	})
	t.Run("unknown user", func(t *testing.T) {
		fails(t, at(open, "freshet", "wrong-password"), true, "online.username")
	})
	t.Run("no permission for keys", func(t *testing.T) {
		fails(t, at(withACL, "elsewhere", "right-password"), true, "~f:p:* +ping +get")
	})
	t.Run("no database", func(t *testing.T) {
		o := at(open, "", "")
		o.DB = 99
		fails(t, o, true, "lower online.db")
	})
	t.Run("not a cluster", func(t *testing.T) {
		o := at(open, "", "")
		o.Cluster = true
		fails(t, o, true, "online.cluster: false")
	})
	t.Run("no TLS there", func(t *testing.T) {
		o := at(open, "", "")
		o.TLS, o.DialTimeout = &tls.Config{ServerName: "localhost"}, 200*time.Millisecond
		fails(t, o, false, "remove online.tls")
	})
	t.Run("nobody listens", func(t *testing.T) {
		fails(t, online.Options{Addresses: []string{onlinetest.FreePort(t)}}, false, "connection refused")
	})
	t.Run("it never answers", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		fails(t, online.Options{Addresses: []string{l.Addr().String()}, ReadTimeout: 100 * time.Millisecond}, false, "timeout")
	})
	t.Run("commands are renamed", func(t *testing.T) {
		r := onlinetest.StartRedis(t, "--rename-command", "EVALSHA", "", "--rename-command", "GET", "")
		fails(t, at(r, "", ""), true, "Redis 6 or newer")
	})
	t.Run("memory is full", func(t *testing.T) {
		r := onlinetest.StartRedis(t, "--maxmemory", "1kb")
		st := opener("redis", at(r, "", ""))(t, "p")
		_, err := st.Upsert(context.Background(), []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)})
		if err == nil || online.IsConfig(err) || !strings.Contains(err.Error(), "maxmemory") {
			t.Fatal(err)
		}
		t.Log(err)
	})
	t.Run("a replica", func(t *testing.T) {
		r := onlinetest.StartRedis(t, "--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "yes")
		st := opener("redis", at(r, "", ""))(t, "p")
		_, err := st.Upsert(context.Background(), []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)})
		if err == nil || online.IsConfig(err) || !strings.Contains(err.Error(), "replica") {
			t.Fatal(err)
		}
		t.Log(err)
	})
	t.Run("somebody else's key", func(t *testing.T) {
		c := redis.NewClient(&redis.Options{Addr: open.Addr})
		defer c.Close()
		ctx := context.Background()
		c.Del(ctx, "f:p:card:"+string(secretKey))
		c.RPush(ctx, "f:p:card:"+string(secretKey), "x")
		st := opener("redis", at(open, "", ""))(t, "p")
		if n, err := st.Upsert(ctx, []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)}); n != 0 || !online.IsConfig(err) {
			t.Fatal(n, err)
		}
		c.Set(ctx, "f:p:card:"+string(secretKey), "short", 0)
		if _, _, err := st.Get(ctx, "card", secretKey); !online.IsConfig(err) || strings.Contains(err.Error(), string(secretKey)) {
			t.Fatal(err)
		}
	})
}

// clusterGivenAsSingle checks what is said when one server of a cluster is taken for a single one.
func clusterGivenAsSingle(t *testing.T, addr string) {
	st := opener("redis", online.Options{Addresses: []string{addr}})(t, "p")
	var last error
	for i := range 20 { // some key of these belongs to another server
		if _, err := st.Upsert(context.Background(), []online.Upsert{onlinetest.Up("card", fmt.Append(nil, i), 1, 1)}); err != nil {
			last = err
		}
	}
	if !online.IsConfig(last) || !strings.Contains(last.Error(), "online.cluster: true") {
		t.Fatal(last)
	}
}

func TestRedisTLS(t *testing.T) {
	dir := t.TempDir()
	pool := selfSigned(t, dir)
	plainPort := onlinetest.FreePort(t)
	_, tlsPort, _ := net.SplitHostPort(plainPort)
	r := onlinetest.StartRedis(t, "--tls-port", tlsPort, "--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-ca-cert-file", filepath.Join(dir, "cert.pem"), "--tls-auth-clients", "no")
	_ = r
	addr := []string{"127.0.0.1:" + tlsPort}
	st := opener("redis", online.Options{Addresses: addr, TLS: &tls.Config{RootCAs: pool}})(t, "tls")
	if n, err := st.Upsert(context.Background(), []online.Upsert{onlinetest.Up("card", secretKey, 1, 1)}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	fails(t, online.Options{Addresses: addr, TLS: &tls.Config{}}, true, "online.tls.ca")
	fails(t, online.Options{Addresses: addr}, false, "set online.tls")
	fails(t, online.Options{Addresses: []string{r.Addr}, TLS: &tls.Config{RootCAs: pool}, DialTimeout: 200 * time.Millisecond}, false, "remove online.tls")
}

func selfSigned(t *testing.T, dir string) *x509.CertPool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	priv, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, b := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}

// What other languages read: key, bytes, TTL, and hash fields, as the package comment documents them.
func TestRedisLayout(t *testing.T) {
	r := onlinetest.StartRedis(t)
	c := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer c.Close()
	ctx := context.Background()
	u := online.Upsert{Entity: "card", Key: []byte("42"), Order: online.Order{Offset: 258, Seq: 1}.Bytes(), Value: []byte("\x00\x00\x00\x00\x07avro"),
		Fields: []online.Field{{Name: "card_n_1h", Text: "3"}, {Name: "card_mean_24h", Text: "12.5"}}, TTL: time.Hour}
	packed := opener("redis", online.Options{Addresses: []string{r.Addr}})(t, "card-fraud")
	hash := opener("redis", online.Options{Addresses: []string{r.Addr}, Format: online.Hash})(t, "card-fraud")
	put := func(st online.Store, want int) {
		t.Helper()
		if n, err := st.Upsert(ctx, []online.Upsert{u}); n != want || err != nil {
			t.Fatalf("applied %d, %v; want %d", n, err, want)
		}
	}
	put(packed, 1)
	want := "\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x07avro"
	if got := c.Get(ctx, "f:card-fraud:card:42").Val(); got != want {
		t.Fatalf("packed: %q", got)
	}
	if d := c.PTTL(ctx, "f:card-fraud:card:42").Val(); d <= 59*time.Minute || d > time.Hour {
		t.Fatalf("TTL %v", d)
	}
	// The format changes: the other one's value reads as missing, still guards the order, and is replaced by the next write.
	if _, ok, err := hash.Get(ctx, "card", u.Key); ok || err != nil {
		t.Fatal(ok, err)
	}
	u.Order = online.Order{Offset: 257}.Bytes()
	put(hash, 0)
	u.Order, u.TTL = online.Order{Offset: 258, Seq: 1}.Bytes(), 0
	put(hash, 1)
	m := c.HGetAll(ctx, "f:card-fraud:card:42").Val()
	if len(m) != 3 || m["_order"] != "00000000000001020000000000000001" || m["card_n_1h"] != "3" || m["card_mean_24h"] != "12.5" {
		t.Fatalf("hash: %q", m)
	}
	if d := c.PTTL(ctx, "f:card-fraud:card:42").Val(); d >= 0 {
		t.Fatalf("TTL %v, want none", d)
	}
	u.Fields, u.Order = u.Fields[:1], online.Order{Offset: 300}.Bytes()
	put(hash, 1)
	if m := c.HGetAll(ctx, "f:card-fraud:card:42").Val(); len(m) != 2 {
		t.Fatalf("a field that became null stayed: %q", m)
	}
	u.Order = online.Order{Offset: 299}.Bytes()
	put(packed, 0)
	u.Order = online.Order{Offset: 301}.Bytes()
	put(packed, 1)
	if got := c.Get(ctx, "f:card-fraud:card:42").Val(); !strings.HasSuffix(got, "avro") {
		t.Fatalf("packed again: %q", got)
	}
	u.Fields = nil
	for i := range 5000 {
		u.Fields = append(u.Fields, online.Field{Name: fmt.Sprint("f", i), Text: "1"})
	}
	put(hash, 1)
	if n := c.HLen(ctx, "f:card-fraud:card:42").Val(); n != 5001 {
		t.Fatalf("%d fields", n)
	}
}

// A restarted server has forgotten the script.
func TestRedisForgetsScripts(t *testing.T) {
	r := onlinetest.StartRedis(t)
	st := opener("redis", online.Options{Addresses: []string{r.Addr}})(t, "p")
	for i := range 3 {
		if n, err := st.Upsert(context.Background(), []online.Upsert{onlinetest.Up("card", secretKey, int64(i), 0)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		r.Stop()
		r.Start(t)
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]online.Options{
		"name is empty":                    {},
		"must not contain":                 {Pipeline: "a{b}"},
		"expected host:port":               {Pipeline: "p", Addresses: []string{"redis://me:right-password@h/0"}},
		"0 for a cluster":                  {Pipeline: "p", DB: 2, Cluster: true},
		"must not be negative":             {Pipeline: "p", Chunk: -1},
		"online.prefix":                    {Pipeline: "p", Prefix: "{f}"},
		`"localhost": expected host:port`:  {Pipeline: "p", Addresses: []string{"localhost"}},
		`"localhost:": expected host:port`: {Pipeline: "p", Addresses: []string{"localhost:"}},
	} {
		_, err := online.Open("redis", o)
		if !online.IsConfig(err) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "right-password") {
			t.Errorf("%+v: %v; want %q", o, err, want)
		}
	}
	if _, err := online.Open("memcached", online.Options{Pipeline: "p"}); err == nil || !strings.Contains(err.Error(), "redis, embedded") {
		t.Error(err)
	}
	if _, err := online.FormatOf("json"); err == nil {
		t.Error("format json")
	}
	if f, err := online.FormatOf("hash"); f != online.Hash || err != nil {
		t.Error(f, err)
	}
	if errors.Is((&online.Error{Err: online.ErrClosed}), online.ErrFull) {
		t.Error("causes are mixed up")
	}
}
