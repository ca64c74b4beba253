package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"freshet/schemas/registry"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/kafka"
)

// await tries until it works, with pauses of 0.2 to 5 s. What it waits for is in /readyz and, at first and then every ten seconds, in
// the log. An error that waiting does not heal is returned.
func (n *node) await(ctx context.Context, what string, final func(error) bool, try func(context.Context) error) error {
	said := time.Time{}
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		tctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := try(tctx)
		cancel()
		if err == nil {
			if !said.IsZero() {
				n.log.Info("no longer waiting for " + what)
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if final(err) {
			return err
		}
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w (the connection was closed at once: do TLS and SASL settings fit the listener?)", err)
		}
		n.status.set(fmt.Sprintf("waiting for %s: %v", what, err))
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			n.log.Warn("waiting for "+what, "error", err)
		}
		if err := sleepUntil(ctx, time.Now().Add(wait)); err != nil {
			return err
		}
	}
}

// refusals are answers of a broker that stay the same until somebody changes a password, a permission or a setting.
var refusals = []error{kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.TopicAuthorizationFailed,
	kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.InvalidReplicationFactor,
	kerr.InvalidPartitions, kerr.InvalidConfig, kerr.PolicyViolation}

func finalBroker(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var cert *tls.CertificateVerificationError
	return slices.ContainsFunc(refusals, func(e error) bool { return errors.Is(err, e) }) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &cert)
}

// finalTopics: also a topic that is there with the wrong number of partitions.
func finalTopics(err error) bool { return finalBroker(err) || !passing(err) }

func finalRegistry(err error) bool { return !errors.Is(err, registry.ErrTransient) }

func finalState(err error) bool {
	var newer *state.NewerFormatError
	var corrupt *state.CorruptError
	var usage usageError
	return errors.As(err, &newer) || errors.As(err, &corrupt) || errors.As(err, &usage) || errors.Is(err, state.ErrBroken)
}

// passing says whether an error is of the kind that a broker which comes back heals.
func passing(err error) bool {
	var broker *kerr.Error
	var network net.Error
	return errors.Is(err, streams.ErrTransient) || errors.Is(err, registry.ErrTransient) || errors.As(err, &broker) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || kgo.IsRetryableBrokerErr(err) ||
		errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) || isMissing(err)
}

func isMissing(err error) bool {
	var missing kafka.MissingTopics
	return errors.As(err, &missing)
}

// makeMissing makes the topics that do not exist and leaves the others as they are.
func makeMissing(ctx context.Context, adm *kafka.Admin, topics []kafka.Topic) error {
	names := make([]string, len(topics))
	for i := range topics {
		names[i] = topics[i].Name
	}
	have, err := adm.Partitions(ctx, names...)
	if err != nil && !isMissing(err) {
		return err
	}
	return adm.Ensure(ctx, slices.DeleteFunc(topics, func(t kafka.Topic) bool { return have[t.Name] > 0 }))
}
