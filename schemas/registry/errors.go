package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"
)

// ErrTransient is what an error Is when trying again later may help: the registry cannot be reached, is overloaded, or
// (while decoding) refuses us. No record may be given up because of it.
var ErrTransient = errors.New("schema registry: transient")

// ErrUnknownSchema is what an error Is when the registry says that an id does not exist.
var ErrUnknownSchema = errors.New("schema registry: unknown schema")

// IncompatibleError is the registry's refusal of a schema that cannot follow the subject's earlier ones (HTTP 409).
type IncompatibleError struct {
	Subject string
	Said    string // the registry's own words
}

func (e *IncompatibleError) Error() string {
	return fmt.Sprintf("schema registry: the schema is incompatible with earlier ones of subject %q: %s", e.Subject, e.Said)
}

// Error is any other failed request.
type Error struct {
	Op        string // "register subject x", "schema 7"
	Status    int    // HTTP, 0 when there was no answer
	Code      int    // the registry's error_code, 0 when there was none
	Transient bool
	Err       error
}

func (e *Error) Error() string {
	s := "schema registry: " + e.Op
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		s += fmt.Sprintf(": HTTP %d, are user and password right?", e.Status)
	case e.Status == http.StatusNotFound && e.Code == 0:
		s += ": HTTP 404, is the URL right?"
	case e.Status != 0:
		s += fmt.Sprintf(": HTTP %d", e.Status)
	}
	msg := e.Err.Error()
	if len(msg) > 500 {
		msg = msg[:500] + "…"
	}
	return s + ": " + msg
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrTransient) and errors.Is(err, ErrUnknownSchema) work.
func (e *Error) Is(target error) bool {
	return target == ErrTransient && e.Transient || target == ErrUnknownSchema && e.Status == http.StatusNotFound && e.Code == sr.ErrSchemaNotFound.Code
}

// sort turns an error of a request into one of the classes above. A plain 404, without the registry's own code, comes
// from a wrong URL or a proxy and does not say that a schema is unknown.
func sort(op string, err error) error {
	if err == nil {
		return nil
	}
	var re *sr.ResponseError
	if !errors.As(err, &re) {
		return &Error{Op: op, Transient: !errors.Is(err, context.Canceled), Err: err}
	}
	e := &Error{Op: op, Status: re.StatusCode, Code: re.ErrorCode, Err: re}
	switch {
	case re.StatusCode >= 500, re.StatusCode == http.StatusTooManyRequests, re.StatusCode == http.StatusRequestTimeout:
		e.Transient = true
	}
	return e
}
