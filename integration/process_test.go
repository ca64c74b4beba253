package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The binary is built once a test process; TestMain removes it.
var (
	binaryOnce sync.Once
	binaryDir  string
	binaryErr  error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir)
	}
	os.Exit(code)
}

// builtBinary builds freshet and returns its path.
func builtBinary(t *testing.T) string {
	t.Helper()
	binaryOnce.Do(func() {
		if binaryDir, binaryErr = os.MkdirTemp("", "freshet-integration-"); binaryErr != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(binaryDir, "freshet"), "../cmd/freshet").CombinedOutput()
		if err != nil {
			binaryErr = fmt.Errorf("building freshet: %w\n%s", err, out)
		}
	})
	if binaryErr != nil {
		t.Fatal(binaryErr)
	}
	return filepath.Join(binaryDir, "freshet")
}

// command runs a verb that ends by itself and returns what it printed on stdout.
func command(t *testing.T, limit time.Duration, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, builtBinary(t), args...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("freshet %s: %v (limit %s)\n%s", strings.Join(args, " "), err, limit, errs.Bytes())
	}
	return out.String()
}

// process is one `freshet run`.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string // file
	done chan struct{}
	err  error // of Wait, once done is closed
	url  string
}

// start runs freshet; it is killed when the test ends, and the end of its log shown if the test failed.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "run-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{t: t, cmd: exec.Command(builtBinary(t), append([]string{"run"}, args...)...), log: f.Name(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test binary that is killed leaves nothing behind
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log of freshet, pid %d:\n%s", p.cmd.Process.Pid, tail(p.log, 40))
			p.dump()
		}
		p.kill9()
	})
	return p
}

// tail is the end of a log, or what comes before and right after the place where it turns into a dump of goroutines.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	text, dump, _ := strings.Cut(string(b), "\ngoroutine ")
	all, more := strings.SplitAfter(text, "\n"), strings.SplitAfter(dump, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "") + strings.Join(more[:min(len(more), lines)], "")
}

func (p *process) logged() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// dump shows what the goroutines of a process are doing that a failed test left running: it may hang.
func (p *process) dump() {
	select {
	case <-p.done:
		return
	default:
	}
	before := len(p.logged())
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
	if text := p.logged()[before:]; text != "" {
		p.t.Logf("goroutines of freshet, pid %d:\n%s", p.cmd.Process.Pid, text[:min(len(text), 60_000)])
	}
}

// kill9 kills the process as a crash would.
func (p *process) kill9() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop ends the process with SIGTERM; it must exit with 0 within 15 s.
func (p *process) stop() time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("SIGTERM: %v; it had ended before: %v\n%s", err, p.err, tail(p.log, 20))
	}
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Fatal("still running 15 s after SIGTERM")
	}
	if p.err != nil {
		p.t.Fatalf("SIGTERM: %v, want exit code 0", p.err)
	}
	return time.Since(began)
}

var httpAt = regexp.MustCompile(`http=(127\.0\.0\.1:\d+)`)

// address waits until the process listens.
func (p *process) address() string {
	p.t.Helper()
	p.await("the HTTP server", time.Minute, func() bool {
		if m := httpAt.FindStringSubmatch(p.logged()); m != nil {
			p.url = "http://" + m[1]
		}
		return p.url != ""
	})
	return p.url
}

// await waits until ok, and fails when the process ends before.
func (p *process) await(what string, limit time.Duration, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(limit); !ok(); {
		select {
		case <-p.done:
			p.t.Fatalf("freshet ended while waiting for %s: %v\n%s", what, p.err, tail(p.log, 20))
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(end) {
			p.t.Fatalf("no %s within %s", what, limit)
		}
	}
}

// ready waits until /readyz says so.
func (p *process) ready(limit time.Duration) {
	p.t.Helper()
	p.address()
	p.await("/readyz", limit, func() bool { code, _ := p.get("/readyz"); return code == http.StatusOK })
}

var client10s = http.Client{Timeout: 10 * time.Second}

// get asks the process over HTTP; 0 when it does not answer.
func (p *process) get(path string) (int, string) {
	r, err := client10s.Get(p.address() + path)
	if err != nil {
		return 0, err.Error()
	}
	return body(p.t, r)
}

func (p *process) post(path, what string) (int, string) {
	p.t.Helper()
	r, err := client10s.Post(p.address()+path, "application/json", strings.NewReader(what))
	if err != nil {
		p.t.Fatal(err)
	}
	return body(p.t, r)
}

func body(t *testing.T, r *http.Response) (int, string) {
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// metric adds up a metric over its labels; ok is false where it is not there.
func (p *process) metric(name string) (sum float64, ok bool) {
	p.t.Helper()
	code, text := p.get("/metrics")
	if code != http.StatusOK {
		p.t.Fatalf("/metrics: %d %s", code, text)
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		l := lines.Text()
		if !strings.HasPrefix(l, name+"{") && !strings.HasPrefix(l, name+" ") {
			continue
		}
		v, err := strconv.ParseFloat(l[strings.LastIndexByte(l, ' ')+1:], 64)
		if err != nil {
			p.t.Fatalf("/metrics: %q: %v", l, err)
		}
		sum, ok = sum+v, true
	}
	return sum, ok
}
