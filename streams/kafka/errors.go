package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// refusals are answers of a broker that stay the same until somebody changes a password, a permission or a setting.
var refusals = []error{kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.TopicAuthorizationFailed,
	kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.InvalidReplicationFactor,
	kerr.InvalidPartitions, kerr.InvalidConfig, kerr.PolicyViolation}

// Refused says whether an error is one that waiting does not heal.
func Refused(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var cert *tls.CertificateVerificationError
	return slices.ContainsFunc(refusals, func(e error) bool { return errors.Is(err, e) }) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &cert)
}

// Passing says whether an error is of the kind that a broker which comes back heals.
func Passing(err error) bool {
	var broker *kerr.Error
	var network net.Error
	return errors.As(err, &broker) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || kgo.IsRetryableBrokerErr(err) ||
		errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries)
}
