package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	asJSON := false
	c := a.verb("version", "Print the version of this binary", cobra.NoArgs, func(context.Context, []string) error {
		v := versionOf()
		if asJSON {
			return a.json(map[string]string{"version": v, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
		}
		_, err := fmt.Fprintf(a.out, "freshet %s %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	})
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// versionOf is the module's version, or the commit that it was built from.
func versionOf() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+"
			}
		}
	}
	switch {
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	case commit != "":
		return "devel-" + commit + dirty
	}
	return "devel"
}
