package online

import (
	"errors"
	"strings"
)

// Class says what may be done about an error.
type Class uint8

const (
	// Transient: the store is away, busy, full or loading. Waiting and trying again is right.
	Transient Class = iota + 1
	// Config: somebody has to change something (password, permission, address). Trying again is harmless but will not help by itself.
	Config
)

// ErrClosed is returned by a store or Writer after Close.
var ErrClosed = errors.New("online store is closed")

// Error is what stores return. Its text never holds an entity's key or a password.
type Error struct {
	Class Class
	Store string // "redis localhost:6379"
	Op    string // what was being done: write, read, count, ping
	Hint  string // what to look at or to change; may be empty
	Err   error  // the cause; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Store)
	for _, s := range []string{e.Op, e.Hint} {
		if s != "" {
			b.WriteString(": ")
			b.WriteString(s)
		}
	}
	if e.Err != nil {
		if e.Hint != "" {
			b.WriteString(" (")
			b.WriteString(clean(e.Err.Error()))
			b.WriteString(")")
		} else {
			b.WriteString(": ")
			b.WriteString(clean(e.Err.Error()))
		}
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// IsConfig reports whether err needs somebody to change the configuration.
func IsConfig(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Class == Config
}

// clean cuts the command's arguments, among them keys, that servers append to "unknown command".
func clean(s string) string {
	if i := strings.Index(s, ", with args"); i >= 0 {
		return s[:i]
	}
	return s
}
