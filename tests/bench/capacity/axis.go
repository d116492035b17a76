// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
)

// axis is a logarithmic one, or a linear one.
type axis struct {
	title    string
	from, to float64
	ticks    []float64
	linear   bool
	name     func(float64) string // of a tick
}

// place returns where a value is on the axis, from 0 to 1.
func (a axis) place(v float64) float64 {
	if a.linear {
		return (v - a.from) / (a.to - a.from)
	}
	return math.Log(v/a.from) / math.Log(a.to/a.from)
}

// decades is a logarithmic axis with a tick at each power of ten.
func decades(title string, from, to float64) axis {
	a := axis{title: title, from: from, to: to, name: number}
	for v := from; v <= to*1.001; v *= 10 {
		a.ticks = append(a.ticks, v)
	}
	return a
}

// steps is a linear axis with a tick at each step.
func steps(title string, from, to, step float64) axis {
	a := axis{title: title, from: from, to: to, linear: true, name: number}
	for v := from; v <= to+step/1000; v += step {
		a.ticks = append(a.ticks, v)
	}
	return a
}

// number is a figure with a comma at the thousands.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.0f,000,000", v/1e6)
	case v >= 1000:
		return fmt.Sprintf("%.0f,%03.0f", math.Floor(v/1000), math.Mod(v, 1000))
	case v >= 1 || v == 0:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}
