package registry

import (
	"net/http"

	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// Embedded is a registry that keeps everything in memory, as an HTTP handler: for `freshet demo` and tests.
func Embedded() http.Handler { return srfake.NewRegistry().Handler() }
