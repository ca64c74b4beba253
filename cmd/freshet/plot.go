package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// line is one curve of a chart.
type line struct {
	name string
	x, y []float64 // NaN in y is a gap
}

// chart is a picture of curves over a common axis, as SVG.
type chart struct {
	title, xAxis, yAxis string
	lines               []line
}

// palette is Okabe and Ito's (2008): told apart by people who are colour-blind, and on a printout.
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"}

const (
	chartWidth, chartHeight = 960.0, 480.0
	chartLeft, chartRight   = 76.0, 24.0
	chartTop, chartFoot     = 44.0, 56.0
	legendRow               = 20.0
)

// svg draws the chart: title, axes with ticks and a grid, curves, and a legend below.
func (c *chart) svg() []byte {
	x0, x1 := math.Inf(1), math.Inf(-1)
	y0, y1 := x0, x1
	for _, l := range c.lines {
		for i, x := range l.x {
			if y := l.y[i]; y == y {
				x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
			}
		}
	}
	if !(x0 <= x1) {
		x0, x1, y0, y1 = 0, 1, 0, 1
	}
	if x0 == x1 {
		x0, x1 = x0-0.5, x1+0.5
	}
	pad := (y1 - y0) * 0.05
	if pad == 0 {
		pad = max(math.Abs(y0)*0.05, 0.05)
	}
	y0, y1 = y0-pad, y1+pad
	height := chartHeight + legendRow*float64(len(c.lines))
	px := func(x float64) float64 { return chartLeft + (x-x0)/(x1-x0)*(chartWidth-chartLeft-chartRight) }
	py := func(y float64) float64 {
		return chartHeight - chartFoot - (y-y0)/(y1-y0)*(chartHeight-chartTop-chartFoot)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" font-family="sans-serif" font-size="13">`+"\n", chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%g" height="%g" fill="#ffffff"/>`+"\n", chartWidth, height)
	text := func(x, y float64, anchor, more, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="#222222"%s>%s</text>`+"\n", x, y, anchor, more, escape(s))
	}
	text(chartLeft, 26, "start", ` font-size="16"`, c.title)
	bottom, right := chartHeight-chartFoot, chartWidth-chartRight
	for _, v := range ticks(y0, y1, 7) {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f" stroke="#dddddd" fill="none"/>`+"\n", chartLeft, py(v), right)
		text(chartLeft-8, py(v)+4, "end", "", tick(v))
	}
	for _, v := range ticks(x0, x1, 9) {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fv6" stroke="#222222" fill="none"/>`+"\n", px(v), bottom)
		text(px(v), bottom+20, "middle", "", tick(v))
	}
	fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1fH%.1f" stroke="#222222" fill="none"/>`+"\n", chartLeft, chartTop, bottom, right)
	text((chartLeft+right)/2, bottom+42, "middle", "", c.xAxis)
	text(18, (chartTop+bottom)/2, "middle", fmt.Sprintf(` transform="rotate(-90 18 %.1f)"`, (chartTop+bottom)/2), c.yAxis)
	for i, l := range c.lines {
		style := fmt.Sprintf(`stroke="%s" stroke-width="2" fill="none"`, palette[i%len(palette)])
		if round := i / len(palette); round > 0 {
			style += fmt.Sprintf(` stroke-dasharray="%d 4"`, 4+4*round)
		}
		fmt.Fprintf(&b, `<path d="%s" %s/>`+"\n", path(l, px, py), style)
		at := chartHeight + legendRow*float64(i)
		fmt.Fprintf(&b, `<path d="M%.1f %.1fh28" %s/>`+"\n", chartLeft, at-4, style)
		text(chartLeft+36, at, "start", "", l.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func path(l line, px, py func(float64) float64) string {
	var b []byte
	verb := byte('M')
	for i, x := range l.x {
		if l.y[i] != l.y[i] {
			verb = 'M'
			continue
		}
		b = append(b, verb)
		b = strconv.AppendFloat(b, px(x), 'f', 1, 64)
		b = append(b, ' ')
		b = strconv.AppendFloat(b, py(l.y[i]), 'f', 1, 64)
		verb = 'L'
	}
	return string(b)
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}

// ticks are round numbers within [from, to], about so many.
func ticks(from, to float64, about int) (out []float64) {
	raw := (to - from) / float64(about)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step*m >= raw {
			step *= m
			break
		}
	}
	for k := math.Ceil(from / step); k*step <= to; k++ {
		out = append(out, k*step+0) // -0 is 0
	}
	return out
}

// tick writes a number short: 25k, 0.85.
func tick(v float64) string {
	if math.Abs(v) >= 1e6 {
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	}
	if math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	}
	if math.Abs(v) < 1e-12 {
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// curveOf is a metric of one learner over the newest rows at each place of the stream; only metrics that are means have one.
func (s *scoreboard) curveOf(metric string, window int) (l line) {
	back := max(1, (window+s.every/2)/s.every)
	var sum part
	rows := 0.0
	for i, p := range s.parts {
		sum.add(p, 1)
		if i >= back {
			sum.add(s.parts[i-back], -1)
		}
		rows += p.n
		y := math.NaN()
		switch metric {
		case "accuracy":
			y = sum.right / sum.n
		case "log_loss":
			y = sum.loss / sum.n
		case "brier":
			y = sum.brier / sum.n
		case "mae":
			y = sum.abs / sum.n
		case "rmse":
			y = math.Sqrt(max(sum.square, 0) / sum.n)
		}
		if i+1 >= min(back, len(s.parts)) { // a mean of few rows jumps about
			l.x, l.y = append(l.x, rows), append(l.y, y)
		}
	}
	return l
}

func (p *part) add(o part, sign float64) {
	p.n += sign * o.n
	p.right += sign * o.right
	p.loss += sign * o.loss
	p.brier += sign * o.brier
	p.abs += sign * o.abs
	p.square += sign * o.square
}

func writePlot(f evalFlags, d *evalData, list []*contestant, metric string) error {
	switch metric {
	case "accuracy", "log_loss", "brier", "mae", "rmse":
	default:
		metric = "accuracy"
		if d.classes == nil {
			metric = "mae"
		}
	}
	window := f.window
	if window == 0 {
		window = max(1, d.rows/40, min(1000, d.rows/10))
	}
	every := list[0].scores.every
	window = max(1, (window+every/2)/every) * every
	c := chart{title: fmt.Sprintf("%s over the newest %s rows, %s", metric, thousands(int64(window)), filepath.Base(f.input)), xAxis: "rows", yAxis: metric}
	for _, k := range list {
		l := k.scores.curveOf(metric, window)
		l.name = k.text
		if f.seeds > 1 {
			l.name += fmt.Sprintf(", seed %d", k.seed)
		}
		c.lines = append(c.lines, l)
	}
	return os.WriteFile(f.plot, c.svg(), 0o644)
}
