package onlinetest

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// StartCluster starts n (3 or more) real servers as a cluster without replicas and returns their addresses. It needs redis-cli as well.
func StartCluster(t testing.TB, n int) []string {
	t.Helper()
	if _, err := exec.LookPath("redis-cli"); err != nil {
		t.Skip("SKIPPED: no redis-cli on PATH to make a cluster with")
	}
	var addrs []string
	for range n {
		// The bus port is the port + 10,000 unless it is given.
		_, bus, _ := net.SplitHostPort(FreePort(t))
		r := StartRedis(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000", "--cluster-port", bus)
		addrs = append(addrs, r.Addr)
	}
	if out, err := exec.Command("redis-cli", append(append([]string{"--cluster", "create"}, addrs...), "--cluster-yes")...).CombinedOutput(); err != nil {
		t.Fatalf("making a cluster: %v: %s", err, out)
	}
	for _, a := range addrs {
		_, port, _ := net.SplitHostPort(a)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			out, _ := exec.Command("redis-cli", "-p", port, "cluster", "info").Output()
			if strings.Contains(string(out), "cluster_state:ok") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the cluster is not ready: %s", out)
			}
		}
	}
	return addrs
}
