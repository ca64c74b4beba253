// Package integration runs freshet against real services: a Kafka broker, a schema registry and Redis.
//
// It stands outside the pipeline's line: nothing imports it, and its tests may import everything.
//
//	            ┌─ environment (FRESHET_TEST_*) ── services that someone else started
//	Start(t) ───┼─ Docker is healthy ───────────── containers, shared by the test process
//	            └─ neither ─────────────────────── the test is skipped, with a loud line
//
// The environment:
//
//	FRESHET_TEST_BROKERS    host:port,...  of the Kafka cluster
//	FRESHET_TEST_REGISTRY   base URL of a schema registry with the Confluent API
//	FRESHET_TEST_REDIS      host:port
//	FRESHET_TEST_SERVICES   folder with kafka.sh and redis.sh (start, stop, kill9), for tests that break services
//	FRESHET_TEST_REQUIRED   not empty: a test fails where it would have been skipped (the build sets it)
//
// `bash .ci/run` starts the services natively and sets all of them; `.ci/services/` has the scripts to do so by hand.
//
// Start reading at services.go. Tests here do not run in parallel: some of them stop the broker.
package integration
