package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Services says where the real services of a test are, and how to break them.
//
// The control functions return when the service has reached the state asked for, within two minutes, and fail the test
// otherwise. Where the services come from the environment without FRESHET_TEST_SERVICES they skip the test. A service
// that a test stopped and did not start again is started when that test ends, so that the next test finds it.
type Services struct {
	Brokers     []string // host:port
	RegistryURL string   // base URL of the Confluent API, without a slash at the end
	RedisAddr   string   // host:port

	KafkaStop    func() // clean shutdown
	KafkaKill    func() // SIGKILL, as a crash
	KafkaStart   func() // returns when the broker takes requests again, on the same port, with its log
	KafkaRestart func() // KafkaStop, KafkaStart
	RedisStop    func() // clean shutdown; what it held is on disk
	RedisStart   func() // returns when it answers again, on the same port, with what it held
}

// controlWait bounds each control of a service.
const controlWait = 2 * time.Minute

// Start finds the services of a test: from the environment, else in containers, else it skips the test.
func Start(t testing.TB) Services {
	t.Helper()
	brokers, registry, redis := os.Getenv("FRESHET_TEST_BROKERS"), os.Getenv("FRESHET_TEST_REGISTRY"), os.Getenv("FRESHET_TEST_REDIS")
	switch {
	case brokers != "" && registry != "" && redis != "":
		s := Services{Brokers: strings.Split(brokers, ","), RegistryURL: strings.TrimRight(registry, "/"), RedisAddr: redis}
		scripts := os.Getenv("FRESHET_TEST_SERVICES")
		s.control(t, scriptControl(scripts, "kafka.sh"), scriptControl(scripts, "redis.sh"))
		return s
	case brokers != "" || registry != "" || redis != "":
		t.Fatalf("integration: FRESHET_TEST_BROKERS=%q, FRESHET_TEST_REGISTRY=%q and FRESHET_TEST_REDIS=%q: set all three or none",
			brokers, registry, redis)
	}
	containersOnce.Do(func() { started, containersErr = startContainers() })
	if containersErr != nil {
		skip(t, containersErr.Error())
	}
	s := Services{Brokers: []string{started.kafka.address}, RegistryURL: "http://" + started.registry.address + "/apis/ccompat/v7",
		RedisAddr: started.redis.address}
	s.control(t, started.kafka.control, started.redis.control)
	return s
}

// The containers of this test process, started once: a broker takes seconds to start, and there are many tests.
var (
	containersOnce sync.Once
	started        containers
	containersErr  error
)

// skip ends the test, so that nobody reading the output can overlook it.
func skip(t testing.TB, why string) {
	t.Helper()
	line := "SKIPPED: no broker: " + why + "; run `bash .ci/run`, start Docker, or set FRESHET_TEST_BROKERS, _REGISTRY and _REDIS"
	if os.Getenv("FRESHET_TEST_REQUIRED") != "" {
		t.Fatal(line)
	}
	fmt.Fprintf(os.Stderr, "\n==== %s: %s ====\n\n", t.Name(), line)
	t.Skip(line)
}

// controlFunc does one of "start", "stop", "kill9" to a service.
type controlFunc func(ctx context.Context, action string) error

// scriptControl runs the service's own script. With an empty folder every action is refused.
func scriptControl(scripts, name string) controlFunc {
	if scripts == "" {
		return nil
	}
	return func(ctx context.Context, action string) error {
		out, err := exec.CommandContext(ctx, "bash", filepath.Join(scripts, name), action).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w\n%s", name, action, err, out)
		}
		return nil
	}
}

// control fills the functions of s. A nil control means that nobody can stop that service.
func (s *Services) control(t testing.TB, kafka, redis controlFunc) {
	do := func(name string, c controlFunc, address string) func(action string) func() {
		down := false
		run := func(action string) {
			ctx, cancel := context.WithTimeout(context.Background(), controlWait)
			defer cancel()
			if err := c(ctx, action); err != nil {
				t.Fatalf("integration: %s %s: %v", name, action, err)
			}
			if action == "start" {
				if err := waitPort(ctx, address); err != nil {
					t.Fatalf("integration: %s does not answer after start: %v", name, err)
				}
			}
		}
		if c != nil {
			t.Cleanup(func() {
				if down {
					run("start")
				}
			})
		}
		return func(action string) func() {
			return func() {
				t.Helper()
				if c == nil {
					t.Skipf("SKIPPED: cannot %s %s: FRESHET_TEST_SERVICES is not set to the folder of its script", action, name)
				}
				down = action != "start" // before it runs, so that a failed stop is followed by a start as well
				run(action)
			}
		}
	}
	k, r := do("kafka", kafka, s.Brokers[0]), do("redis", redis, s.RedisAddr)
	s.KafkaStop, s.KafkaKill, s.KafkaStart = k("stop"), k("kill9"), k("start")
	s.KafkaRestart = func() { t.Helper(); s.KafkaStop(); s.KafkaStart() }
	s.RedisStop, s.RedisStart = r("stop"), r("start")
}

// waitPort waits until somebody listens on a TCP address.
func waitPort(ctx context.Context, address string) error {
	for {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
