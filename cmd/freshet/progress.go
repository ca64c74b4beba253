package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows how far a verb is: on a terminal one line that is written over ten times a second, elsewhere a plain line every
// five seconds, so that a log stays readable.
type progress struct {
	w       io.Writer
	tty     bool
	noun    string
	total   int64         // 0: unknown
	done    func() int64  // must be safe from another goroutine
	note    func() string // what else to show; may be nil
	start   time.Time
	stopped chan struct{}
	wg      sync.WaitGroup
}

// startProgress begins to show; stop ends it.
func startProgress(w io.Writer, noun string, total int64, done func() int64, note func() string) *progress {
	p := &progress{w: w, tty: terminal(w), noun: noun, total: total, done: done, note: note, start: time.Now(), stopped: make(chan struct{})}
	every := 5 * time.Second
	if p.tty {
		every = 100 * time.Millisecond
	}
	p.wg.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-p.stopped:
				return
			case now := <-t.C:
				p.show(now)
			}
		}
	})
	return p
}

func (p *progress) show(now time.Time) {
	line := progressLine(p.noun, p.done(), p.total, now.Sub(p.start))
	if p.note != nil {
		if n := p.note(); n != "" {
			line += ", " + n
		}
	}
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// stop ends the showing and clears the line. It may be called once.
func (p *progress) stop() {
	close(p.stopped)
	p.wg.Wait()
	if p.tty {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine reads "120,000 of 200,000 events (60%), 8,123/s, 10s left".
func progressLine(noun string, done, total int64, passed time.Duration) string {
	var b strings.Builder
	b.WriteString(thousands(done))
	if total > 0 {
		fmt.Fprintf(&b, " of %s %s (%d%%)", thousands(total), noun, min(100, 100*done/total))
	} else {
		b.WriteString(" " + noun)
	}
	s := passed.Seconds()
	if s <= 0 || done <= 0 {
		return b.String()
	}
	rate := float64(done) / s
	fmt.Fprintf(&b, ", %s/s", thousands(int64(rate)))
	if left := float64(total-done) / rate; total > done && left < 1e6 {
		fmt.Fprintf(&b, ", %s left", (time.Duration(left+1) * time.Second).String())
	}
	return b.String()
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
