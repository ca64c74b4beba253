package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

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

func finalBroker(err error) bool { return kafka.Refused(err) }

// finalTopics: also a topic that is there with the wrong number of partitions.
func finalTopics(err error) bool { return finalBroker(err) || !passing(err) }

func finalRegistry(err error) bool { return !errors.Is(err, registry.ErrTransient) }

func finalState(err error) bool {
	var newer *state.NewerFormatError
	var corrupt *state.CorruptError
	var usage usageError
	return errors.As(err, &newer) || errors.As(err, &corrupt) || errors.As(err, &usage) || errors.Is(err, state.ErrBroken)
}

// passing says whether an error is of the kind that a service which comes back heals.
func passing(err error) bool {
	return kafka.Passing(err) || errors.Is(err, streams.ErrTransient) || errors.Is(err, registry.ErrTransient) || isMissing(err)
}

func isMissing(err error) bool {
	var missing kafka.MissingTopics
	return errors.As(err, &missing)
}
