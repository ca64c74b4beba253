package online

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// replies maps the start of a server's error reply to what to do about it. The first match counts; a reply that is not here is
// treated as transient, because waiting never loses anything.
var replies = []struct {
	prefix string
	class  Class
	hint   string
}{
	{"NOAUTH", Config, "the server wants a password: set online.password, and online.username for an ACL user"},
	{"WRONGPASS", Config, "wrong user name or password: correct online.username and online.password"},
	{"ERR invalid password", Config, "wrong password: correct online.password"},
	{"ERR AUTH <password> called without any password", Config, "the server has no password: remove online.password"},
	{"ERR Client sent AUTH, but no password is set", Config, "the server has no password: remove online.password"},
	{"NOPERM", Config, "the user lacks a permission: give it ~PREFIX* +ping +get +mget +getrange +set +del +hget +hgetall +hset +pexpire +evalsha +script|load +scan (and +cluster|slots +cluster|shards +readonly in a cluster)"},
	{"MOVED", Config, "the server is part of a cluster: set online.cluster: true"},
	{"ASK ", Config, "the server is part of a cluster: set online.cluster: true"},
	{"ERR This instance has cluster support disabled", Config, "the server is not a cluster: set online.cluster: false and give one address"},
	{"ERR SELECT is not allowed in cluster mode", Config, "a cluster has only database 0: remove online.db"},
	{"ERR DB index is out of range", Config, "the server has no such database: lower online.db"},
	{"WRONGTYPE", Config, "a key under PREFIX holds a type that freshet does not write: choose another online.prefix or delete the key"},
	{"ERR unknown command", Config, "the server does not offer a command that freshet needs: use Redis 6 or newer and do not rename commands"},
	{"OOM", Transient, "the server's memory is full: raise its maxmemory or shorten the windows that values live for; waiting"},
	{"MISCONF", Transient, "the server refuses writes because it cannot save to its disk; waiting"},
	{"READONLY", Transient, "the server is a replica, or a fail-over is going on; waiting (give the master's address if it stays so)"},
	{"LOADING", Transient, "the server is loading its data; waiting"},
	{"BUSY", Transient, "the server is busy with somebody's script; waiting"},
	{"MASTERDOWN", Transient, "the replica has lost its master; waiting"},
	{"CLUSTERDOWN", Transient, "the cluster does not serve all slots; waiting"},
	{"ERR max number of clients reached", Transient, "the server has no connection left: raise its maxclients or lower online.pool_size; waiting"},
}

// fail wraps what the client returned; nil stays nil.
func (r *Redis) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	e := &Error{Class: Transient, Store: r.name, Op: op, Err: err}
	var reply redis.Error
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var dns *net.DNSError
	switch {
	case errors.Is(err, redis.ErrClosed) || r.closed.Load():
		e.Class, e.Err = Config, ErrClosed
	case errors.As(err, &reply):
		text := strings.TrimPrefix(reply.Error(), "-")
		for _, k := range replies {
			if strings.HasPrefix(text, k.prefix) {
				e.Class, e.Hint = k.class, strings.ReplaceAll(k.hint, "PREFIX", r.prefix)
				break
			}
		}
	case errors.As(err, &record):
		e.Class, e.Hint = Config, "the server does not speak TLS on this port: remove online.tls or give the TLS port"
	case errors.As(err, &cert):
		e.Class, e.Hint = Config, "the server's certificate is not trusted: set online.tls.ca to the authority that signed it, and online.tls.server_name to the name in it"
	case errors.As(err, &alert):
		e.Class, e.Hint = Config, "the server refused the TLS handshake: check online.tls.cert and online.tls.key"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Hint = "no such host: check online.addresses; waiting"
	case r.o.TLS == nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "connection reset")):
		e.Hint = "the connection was closed; if the server expects TLS, set online.tls; waiting"
	case r.o.TLS != nil && errors.Is(err, context.DeadlineExceeded):
		e.Hint = "no answer in time; if the server does not speak TLS on this port, remove online.tls; waiting"
	}
	return e
}
