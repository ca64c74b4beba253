package kafka

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// explain says in words what a broker means that refuses to talk to us. Such an error stays until somebody changes a password or a
// permission: trying again for ever would hide it.
func explain(err error) error {
	var session *kgo.ErrGroupSession
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Errorf("the brokers refuse the credentials, check user, password and mechanism: %w", err)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("the brokers do not take credentials of this mechanism: %w", err)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("the brokers take the credentials, but do not let this user do it (ACLs): %w", err)
	case errors.As(err, &session):
		return fmt.Errorf("consumer group: %w", err)
	}
	return err
}

func refuses(err error) bool {
	return errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kerr.UnsupportedSaslMechanism)
}
