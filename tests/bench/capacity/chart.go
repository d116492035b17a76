// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// chart is lines over two axes.
type chart struct {
	title string
	x, y  axis
	lines []line
}

// line is named where the chart has its key.
type line struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

// Where things are in a chart of width by height.
const (
	width, height = 480, 360
	left, right   = 78, 20
	top, bottom   = 74, 52
)

// style is read where the page is light, and where it is dark. Lines differ in their dashes, too.
const style = `<style>
text { font: 12px sans-serif; fill: #222 } .title { font-size: 14px; font-weight: bold } .y { text-anchor: end } .x { text-anchor: middle }
.back { fill: #fff } .grid { stroke: #ddd } polyline, .key { fill: none; stroke-width: 2.5 }
.l0 { stroke: #0b62a8 } .l1 { stroke: #b34700; stroke-dasharray: 9 4 } .l2 { stroke: #1b7a3d; stroke-dasharray: 3 3 } .l3 { stroke: #7b3fa0; stroke-dasharray: 12 3 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .back { fill: #14171a } .grid { stroke: #3a3f44 }
.l0 { stroke: #6cb6ff } .l1 { stroke: #ff9d57 } .l2 { stroke: #6fd08c } .l3 { stroke: #cf9ff0 } }
</style>
`

// svg draws charts, two in a row.
func svg(charts []chart) string {
	var b strings.Builder
	rows := (len(charts) + 1) / 2
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d">`+"\n", 2*width, rows*height)
	b.WriteString("<!-- SPDX-License-Identifier: Apache-2.0. Made by go run ./tests/bench/capacity -svg docs/capacity.svg -->\n" + style)
	fmt.Fprintf(&b, `<rect class="back" width="%d" height="%d"/>`+"\n", 2*width, rows*height)
	for i, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%2*width, i/2*height)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c chart) draw(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="title" x="%d" y="22">%s</text>`+"\n", left, c.title)
	for _, v := range c.x.ticks {
		x := c.across(v)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dV%d"/><text class="x" x="%.1f" y="%d">%s</text>`+"\n", x, top, height-bottom, x, height-bottom+18, c.x.name(v))
	}
	for _, v := range c.y.ticks {
		y := c.down(v)
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/><text class="y" x="%d" y="%.1f">%s</text>`+"\n", left, y, width-right, left-6, y+4, c.y.name(v))
	}
	fmt.Fprintf(b, `<text class="x" x="%d" y="%d">%s</text>`+"\n", (left+width-right)/2, height-12, c.x.title)
	for i, l := range c.lines {
		c.drawLine(b, i, l)
	}
}

// drawLine draws a line, and its name above the chart.
func (c chart) drawLine(b *strings.Builder, i int, l line) {
	x, y := left+i%2*185, 42+i/2*18
	fmt.Fprintf(b, `<path class="key l%d" d="M%d %dh26"/><text x="%d" y="%d">%s</text>`+"\n", i, x, y, x+32, y+4, l.name)
	fmt.Fprintf(b, `<polyline class="l%d" points="`, i)
	for _, p := range l.points {
		fmt.Fprintf(b, "%.1f,%.1f ", c.across(p.x), c.down(p.y))
	}
	b.WriteString("\"/>\n")
}

func (c chart) across(v float64) float64 { return left + c.x.place(v)*(width-left-right) }

func (c chart) down(v float64) float64 {
	v = min(max(v, c.y.from), c.y.to) // what is too little to show is at the edge
	return height - bottom - c.y.place(v)*(height-top-bottom)
}
