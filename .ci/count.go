//go:build ignore

// count reads `go test -json` on standard input, prints what a person wants to see of it, and adds its counts to a file.
//
//	go test -json ./... | go run .ci/count.go -tally FILE [-v]
//
// Printed: each package's closing line, the output of failed tests and builds, and why tests were skipped; with -v everything.
// Exits with 1 when a test, a package or a build failed, or when nothing was run.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

type event struct{ Action, Package, ImportPath, Test, Output string }

func main() {
	tally := flag.String("tally", "", "file that a line `passed failed skipped` is appended to")
	verbose := flag.Bool("v", false, "print all output of all tests")
	flag.Parse()
	var passed, failed, skipped int
	output := map[string][]string{}    // of each running test, dropped when it passes
	failures := map[string]int{}       // failed tests of each package
	in := bufio.NewScanner(os.Stdin)   // a line a time: what a test prints arrives cut into lines
	in.Buffer(make([]byte, 0), 16<<20) // but JSON of one line can be long
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // go itself speaks: a download, a bad pattern
			continue
		}
		name := e.Package + " " + e.Test
		switch {
		case e.Action == "build-output" || e.Action == "output" && (*verbose || e.Test == ""):
			if e.Output != "PASS\n" || *verbose {
				fmt.Print(e.Output)
			}
		case e.Action == "output":
			if output[name] = append(output[name], e.Output); len(output[name]) > 2000 {
				output[name] = output[name][1000:] // the end matters most
			}
		case e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
			switch e.Action {
			case "pass":
				passed++
			case "fail":
				failed++
				failures[e.Package]++
				fmt.Print(strings.Join(output[name], ""))
			case "skip":
				skipped++
				fmt.Print(strings.Join(output[name], ""))
			}
			delete(output, name)
		case e.Action == "fail" && failures[e.Package] == 0: // does not build, panicked or timed out
			failed++
			for n, lines := range output { // what was running then
				if strings.HasPrefix(n, e.Package+" ") {
					fmt.Print(strings.Join(lines, ""))
				}
			}
		}
	}
	if err := in.Err(); err != nil {
		fmt.Println("count:", err)
		failed++
	}
	if passed+failed+skipped == 0 {
		fmt.Println("count: no test was run")
		failed++
	}
	if *tally != "" {
		f, err := os.OpenFile(*tally, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = fmt.Fprintln(f, passed, failed, skipped)
			f.Close()
		}
		if err != nil {
			fmt.Println("count:", err)
			os.Exit(1)
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 {
		os.Exit(1)
	}
}
