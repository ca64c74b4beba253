package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"freshet/schemas/registry"
	"freshet/streams/kafka"

	"github.com/spf13/pflag"
)

// connection is how brokers, registry and store are reached: flags first, then the environment.
type connection struct {
	brokers, sasl, user, password, tlsCA string
	tls                                  bool
	registry                             string
	redis, redisUser, redisPassword      string
	redisTLS, redisCluster               bool
	roots                                *x509.CertPool
}

// brokerFlags adds what every verb has that talks to brokers. A password has no flag: others on the machine could read it there.
func (c *connection) brokerFlags(f *pflag.FlagSet) {
	f.StringVar(&c.brokers, "brokers", "", "Kafka brokers, host:port,... (FRESHET_BROKERS)")
	f.StringVar(&c.registry, "registry", "", "schema registry URL (FRESHET_REGISTRY; user and password in FRESHET_REGISTRY_USER, FRESHET_REGISTRY_PASSWORD)")
	f.StringVar(&c.sasl, "sasl", "", "scram-sha-512, scram-sha-256 or plain (FRESHET_SASL)")
	f.StringVar(&c.user, "user", "", "SASL user (FRESHET_USER); the password is read from FRESHET_PASSWORD")
	f.BoolVar(&c.tls, "tls", false, "TLS to the brokers (FRESHET_TLS=true)")
	f.StringVar(&c.tlsCA, "tls-ca", "", "PEM file of the authority that signed the brokers' certificates; turns TLS on (FRESHET_TLS_CA)")
}

// storeFlags adds what every verb has that talks to Redis.
func (c *connection) storeFlags(f *pflag.FlagSet) {
	f.StringVar(&c.redis, "redis", "", "Redis, host:port,... (FRESHET_REDIS; user and password in FRESHET_REDIS_USER, FRESHET_REDIS_PASSWORD)")
	f.BoolVar(&c.redisTLS, "redis-tls", false, "TLS to Redis, with --tls-ca if it is given (FRESHET_REDIS_TLS=true)")
	f.BoolVar(&c.redisCluster, "redis-cluster", false, "the one address of --redis is that of a cluster (FRESHET_REDIS_CLUSTER=true)")
}

// fill takes from the environment what no flag gave, and checks it.
func (c *connection) fill(a *app) error {
	for _, v := range []struct {
		to   *string
		name string
	}{{&c.brokers, "BROKERS"}, {&c.sasl, "SASL"}, {&c.user, "USER"}, {&c.password, "PASSWORD"}, {&c.tlsCA, "TLS_CA"}, {&c.registry, "REGISTRY"},
		{&c.redis, "REDIS"}, {&c.redisUser, "REDIS_USER"}, {&c.redisPassword, "REDIS_PASSWORD"}} {
		*v.to = a.or(*v.to, "FRESHET_"+v.name, "")
	}
	c.tls = c.tls || truth(a.env("FRESHET_TLS")) || c.tlsCA != ""
	c.redisTLS = c.redisTLS || truth(a.env("FRESHET_REDIS_TLS"))
	c.redisCluster = c.redisCluster || truth(a.env("FRESHET_REDIS_CLUSTER"))
	if c.redis == "" {
		c.redis = "localhost:6379"
	}
	if c.tlsCA != "" {
		pem, err := os.ReadFile(c.tlsCA)
		if err != nil {
			return usageError{fmt.Errorf("--tls-ca: %w", err)}
		}
		c.roots = x509.NewCertPool()
		if !c.roots.AppendCertsFromPEM(pem) {
			return usagef("--tls-ca: %s holds no certificate in PEM form", c.tlsCA)
		}
	}
	if _, err := c.mechanism(); err != nil {
		return err
	}
	return nil
}

func truth(s string) bool {
	return s == "1" || strings.EqualFold(s, "true") || strings.EqualFold(s, "yes")
}

// list splits host:port,host:port.
func list(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (c *connection) mechanism() (kafka.Mechanism, error) {
	if c.sasl == "" {
		if c.user != "" {
			return nil, usagef("--user without --sasl: expected scram-sha-512, scram-sha-256 or plain")
		}
		return nil, nil
	}
	if c.user == "" || c.password == "" {
		return nil, usagef("--sasl %s needs --user (FRESHET_USER) and a password in FRESHET_PASSWORD", c.sasl)
	}
	m, err := kafka.Auth(c.sasl, c.user, c.password)
	if err != nil {
		return nil, usagef("--sasl %w", err)
	}
	return m, nil
}

func (c *connection) redisTLSConfig() *tls.Config {
	if !c.redisTLS {
		return nil
	}
	return &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
}

// kafka are the options that all clients to the brokers share.
func (c *connection) kafka() (kafka.Options, error) {
	if len(list(c.brokers)) == 0 {
		return kafka.Options{}, usagef("which brokers? give --brokers host:port or FRESHET_BROKERS")
	}
	m, err := c.mechanism()
	if err != nil {
		return kafka.Options{}, err
	}
	o := kafka.Options{Brokers: list(c.brokers), SASL: m}
	if c.tls {
		o.TLS = &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
	}
	return o, nil
}

// openRegistry makes the client of the schema registry; nil where no URL was given.
func (c *connection) openRegistry(a *app) (*registry.Client, error) {
	if c.registry == "" {
		return nil, nil
	}
	cl, err := registry.NewClient(registry.Options{Timeout: 3 * time.Second, Retries: -1, // who asks waits and asks again, and says so
		URL: c.registry, User: a.env("FRESHET_REGISTRY_USER"), Password: a.env("FRESHET_REGISTRY_PASSWORD")})
	if err != nil {
		return nil, usageError{err}
	}
	return cl, nil
}
