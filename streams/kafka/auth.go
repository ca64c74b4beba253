package kafka

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Mechanism is how a client proves who it is.
type Mechanism = sasl.Mechanism

// Auth makes a mechanism: scram-sha-512, scram-sha-256 or plain.
func Auth(kind, user, password string) (Mechanism, error) {
	auth := scram.Auth{User: user, Pass: password}
	switch strings.ToLower(kind) {
	case "scram-sha-512":
		return auth.AsSha512Mechanism(), nil
	case "scram-sha-256":
		return auth.AsSha256Mechanism(), nil
	case "plain":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	}
	return nil, fmt.Errorf("%q: expected scram-sha-512, scram-sha-256 or plain", kind)
}
