package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"

	"freshet/learners"
	"freshet/streams/file"
)

// evalData is a stream in memory as learners see it.
type evalData struct {
	rows      int
	names     []string   // features
	codes     [][]string // texts of a feature's categories, nil where it has numbers
	x         []float64
	in        learners.Input
	class     []int     // classification
	y         []float64 // regression
	classes   []string  // what the file calls class 0, 1, …; nil for regression
	segment   []int     // of each row, with --segment
	segments  []string  // their names
	how       string    // why it is that task
	unlabeled int       // rows without a label: left out
}

const (
	fewClasses  = 50   // whole numbers with more distinct values are quantities
	mostClasses = 1000 // what --task classification allows
)

// loadEval reads the file and finds features, label and task.
func (a *app) loadEval(ctx context.Context, f evalFlags) (*evalData, error) {
	var read atomic.Int64
	p := startProgress(a.err, "rows read from "+filepath.Base(f.input), 0, read.Load, nil)
	ignore := slices.DeleteFunc(slices.Clone(f.ignore), func(s string) bool { return s == f.segment })
	t, err := file.ReadTable(ctx, f.input, file.TableOptions{Limit: f.limit, Nominal: f.nominal, Ignore: ignore, Read: &read})
	p.stop()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, usageError{err}
	}
	label, err := t.Column(f.label)
	if err != nil {
		return nil, usageError{err}
	}
	d := &evalData{}
	if err := d.decide(label, f.task); err != nil {
		return nil, usageError{fmt.Errorf("file %s: %w", f.input, err)}
	}
	var segment *file.Column
	if f.segment != "" {
		if segment, err = t.Column(f.segment); err != nil {
			return nil, usageError{err}
		}
	}
	var features []*file.Column
	for _, c := range t.Columns {
		if c == label || slices.Contains(f.ignore, c.Name) {
			continue
		}
		features = append(features, c)
		if c.Nominal {
			d.in.Nominal = append(d.in.Nominal, learners.Nominal{Feature: len(d.names), Categories: max(c.Categories(), 1)})
		}
		d.names, d.codes = append(d.names, c.Name), append(d.codes, c.Texts)
	}
	d.in.Names = d.names
	d.in.Features = len(d.names)
	if d.in.Features == 0 {
		return nil, usagef("file %s: there is no column besides the label %s", f.input, f.label)
	}
	d.x = make([]float64, 0, t.Rows*len(d.names))
	var keep []int
	for i, y := range label.Values {
		if y != y {
			d.unlabeled++
			continue
		}
		d.rows++
		keep = append(keep, i)
		for _, c := range features {
			d.x = append(d.x, c.Values[i])
		}
	}
	d.segment, d.segments = categories(segment, keep)
	if d.rows == 0 {
		return nil, usagef("file %s: no row has a label in column %s", f.input, f.label)
	}
	return d, nil
}

// decide finds out whether the label is a class or a number, and translates it.
func (d *evalData) decide(label *file.Column, task string) error {
	var values []float64
	for _, v := range label.Values {
		if v == v {
			values = append(values, v)
		}
	}
	distinct := slices.Clone(values)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	whole := len(distinct) > 0 && distinct[0] >= 0
	for _, v := range distinct {
		whole = whole && v == math.Trunc(v)
	}
	switch {
	case task == "regression" && label.Texts != nil:
		return fmt.Errorf("label %s has texts: that is a classification", label.Name)
	case task == "regression":
		d.how = "regression, as asked for"
	case label.Texts != nil:
		d.how = fmt.Sprintf("classification: label %s has texts (%d different)", label.Name, len(distinct))
	case task == "classification":
		d.how = "classification, as asked for"
	case whole && len(distinct) <= fewClasses && distinct[len(distinct)-1] < fewClasses:
		d.how = fmt.Sprintf("classification: label %s has whole numbers from 0 to %v only", label.Name, distinct[len(distinct)-1])
	case len(distinct) == 2:
		d.how = fmt.Sprintf("classification: label %s has the values %v and %v only", label.Name, distinct[0], distinct[1])
	default:
		d.how = fmt.Sprintf("regression: label %s has %d different numbers", label.Name, len(distinct))
		task = "regression"
	}
	if task == "regression" {
		d.y = values
		return nil
	}
	if len(distinct) > mostClasses {
		return fmt.Errorf("label %s has %d different values, at most %d classes", label.Name, len(distinct), mostClasses)
	}
	d.translate(label.Texts, values, distinct, whole)
	return nil
}

// translate makes classes: the numbers themselves where they are small and whole, else the places of the sorted values.
func (d *evalData) translate(texts []string, values, distinct []float64, whole bool) {
	number := map[float64]int{}
	switch {
	case texts != nil:
		sorted := slices.Clone(texts)
		slices.Sort(sorted)
		for code, text := range texts {
			number[float64(code)], _ = slices.BinarySearch(sorted, text)
		}
		d.classes = sorted
	case whole && distinct[len(distinct)-1] < max(fewClasses, 2*float64(len(distinct))):
		for k := range int(distinct[len(distinct)-1]) + 1 {
			number[float64(k)] = k
			d.classes = append(d.classes, strconv.Itoa(k))
		}
	default:
		for k, v := range distinct {
			number[v] = k
			d.classes = append(d.classes, strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	for len(d.classes) < 2 {
		d.classes = append(d.classes, "(none)")
	}
	d.class = make([]int, len(values))
	for i, v := range values {
		d.class[i] = number[v]
	}
}

func (d *evalData) row(i int) []float64 {
	return d.x[i*d.in.Features : (i+1)*d.in.Features : (i+1)*d.in.Features]
}
