package onlinetest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis is a redis-server of a test's own on a free loopback port. Stop and Start keep the port; nothing is kept on disk unless Args
// say so. It ends with the test.
type Redis struct {
	Addr string
	Args []string // beside port, directory and persistence
	dir  string
	cmd  *exec.Cmd
}

// HasRedis reports whether a redis-server is on PATH.
func HasRedis() bool {
	_, err := exec.LookPath("redis-server")
	return err == nil
}

// StartRedis starts a real redis-server, or skips the test loudly if there is none.
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	if !HasRedis() {
		t.Skip("SKIPPED: no redis-server on PATH; install one to run this test against a real server")
	}
	r := &Redis{Addr: FreePort(t), Args: args, dir: t.TempDir()}
	r.Start(t)
	t.Cleanup(r.Stop)
	return r
}

// FreePort returns host:port of a loopback port that was free a moment ago.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Dir is the server's working directory.
func (r *Redis) Dir() string { return r.dir }

// Start starts the server, again after Stop, and waits until it answers.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	_, port, _ := net.SplitHostPort(r.Addr)
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", r.dir, "--save", "", "--appendonly", "no", "--daemonize", "no"}, r.Args...)
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r.cmd = exec.Command("redis-server", args...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", r.Addr, time.Second)
		if err == nil {
			fmt.Fprint(c, "PING\r\n")
			c.SetReadDeadline(time.Now().Add(time.Second))
			line, _ := bufio.NewReader(c).ReadString('\n')
			c.Close()
			if strings.HasPrefix(line, "+PONG") || strings.HasPrefix(line, "-NOAUTH") {
				return
			}
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("redis-server did not answer on %s: %s", r.Addr, text)
		}
	}
}

// Stop kills the server at once; what it held is gone.
func (r *Redis) Stop() {
	if r.cmd != nil {
		r.cmd.Process.Signal(syscall.SIGKILL)
		r.cmd.Wait()
		r.cmd = nil
	}
}
