package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// The images, the same versions as .ci/services has.
const (
	kafkaImage    = "apache/kafka:4.4.0"
	registryImage = "apicurio/apicurio-registry:3.3.3"
	redisImage    = "redis:7.0-alpine"
)

type containers struct{ kafka, registry, redis service }

type service struct {
	address string // host:port as seen from the test
	control controlFunc
}

// startContainers starts the three services. Without a healthy Docker provider it returns at once with an error.
// The containers are removed by the library's reaper when the test process ends.
func startContainers() (c containers, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	host, err := dockerHost(ctx)
	if err != nil {
		return c, err
	}
	// Ports on the host are fixed before the start: a broker must know the address that it tells its clients, and an
	// address must survive a stop and a start.
	port, err := freePorts(3)
	if err != nil {
		return c, err
	}
	kafkaAddr := net.JoinHostPort(host, strconv.Itoa(port[0]))
	c.kafka, err = run(ctx, host, port[0], "9092/tcp", testcontainers.ContainerRequest{
		Image: kafkaImage,
		Env: map[string]string{
			"KAFKA_NODE_ID":                                  "1",
			"KAFKA_PROCESS_ROLES":                            "broker,controller",
			"KAFKA_CONTROLLER_QUORUM_VOTERS":                 "1@localhost:9093",
			"KAFKA_LISTENERS":                                "PLAINTEXT://:9092,CONTROLLER://:9093",
			"KAFKA_ADVERTISED_LISTENERS":                     "PLAINTEXT://" + kafkaAddr,
			"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":           "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"KAFKA_CONTROLLER_LISTENER_NAMES":                "CONTROLLER",
			"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                "false",
			"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "1",
			"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
			"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            "1",
			"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "0",
			"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS":             "1000",
			"KAFKA_MESSAGE_MAX_BYTES":                        "16777216",
			"KAFKA_REPLICA_FETCH_MAX_BYTES":                  "16777216",
			"KAFKA_HEAP_OPTS":                                "-Xms256m -Xmx512m",
		},
		WaitingFor: wait.ForLog("Kafka Server started"),
	})
	if err != nil {
		return c, fmt.Errorf("kafka container: %w", err)
	}
	c.registry, err = run(ctx, host, port[1], "8080/tcp", testcontainers.ContainerRequest{
		Image:      registryImage,
		WaitingFor: wait.ForHTTP("/apis/ccompat/v7/subjects").WithPort("8080/tcp").WithStartupTimeout(3 * time.Minute),
	})
	if err != nil {
		return c, fmt.Errorf("registry container: %w", err)
	}
	if err := setBackward(ctx, "http://"+c.registry.address+"/apis/ccompat/v7"); err != nil {
		return c, fmt.Errorf("registry container: %w", err)
	}
	c.redis, err = run(ctx, host, port[2], "6379/tcp", testcontainers.ContainerRequest{
		Image: redisImage, Cmd: []string{"redis-server", "--save", "", "--appendonly", "yes"},
		WaitingFor: wait.ForLog("Ready to accept connections"),
	})
	if err != nil {
		return c, fmt.Errorf("redis container: %w", err)
	}
	return c, nil
}

// dockerHost returns the name under which published ports are reached, or why there is no Docker.
func dockerHost(ctx context.Context) (host string, err error) {
	defer func() { // the library panics in some set-ups without Docker
		if r := recover(); r != nil {
			err = fmt.Errorf("no Docker: %v", r)
		}
	}()
	p, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", fmt.Errorf("no Docker: %w", err)
	}
	defer p.Close()
	if err := p.Health(ctx); err != nil {
		return "", fmt.Errorf("no Docker: %w", err)
	}
	return p.DaemonHost(ctx)
}

// run starts one container whose inner port is published on hostPort.
func run(ctx context.Context, host string, hostPort int, inner string, req testcontainers.ContainerRequest) (service, error) {
	p, err := network.ParsePort(inner)
	if err != nil {
		return service{}, err
	}
	req.ExposedPorts = []string{inner}
	req.HostConfigModifier = func(h *container.HostConfig) {
		h.PortBindings = network.PortMap{p: {{HostPort: strconv.Itoa(hostPort)}}}
	}
	c, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{ContainerRequest: req, Started: true})
	if err != nil {
		return service{}, err
	}
	return service{address: net.JoinHostPort(host, strconv.Itoa(hostPort)), control: func(ctx context.Context, action string) error {
		grace := 30 * time.Second
		switch action {
		case "start":
			return c.Start(ctx)
		case "kill9":
			grace = 0 // Docker sends KILL at once
			return c.Stop(ctx, &grace)
		case "stop":
			return c.Stop(ctx, &grace)
		}
		return errors.New("unknown action " + action)
	}}, nil
}

// setBackward sets the global compatibility to Confluent's default; this registry's own is NONE.
func setBackward(ctx context.Context, base string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, base+"/config", strings.NewReader(`{"compatibility":"BACKWARD"}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("setting the global compatibility: HTTP status %s", resp.Status)
	}
	return nil
}

// freePorts returns n ports of this machine that nobody listens on.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until all are chosen, so they differ
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
