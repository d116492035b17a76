// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"libzk_pkcs11/internal/scm/soft/board"
)

// panelAct is what the page asks for.
type panelAct struct {
	Do    string `json:"do"`
	Value string `json:"value"`
}

func (v *panelView) serveAct(w http.ResponseWriter, r *http.Request) {
	var a panelAct
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		http.Error(w, "this is no act of the panel", http.StatusBadRequest)
		return
	}
	if err := v.act(a); err != nil {
		http.Error(w, explain(err), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// act does it, and notes what comes of it.
func (v *panelView) act(a panelAct) error {
	if err := a.on(v.device); err != nil {
		return err
	}
	v.lock.Lock()
	v.note("by hand: " + strings.TrimSpace(a.Do+" "+a.Value))
	v.lock.Unlock()
	_, err := v.state()
	return err
}

// on does it to an SCM.
func (a panelAct) on(d *softSCM) error {
	switch a.Do {
	case "battery":
		return a.measured(d.InjectBattery)
	case "temperature":
		return a.measured(d.InjectTemperature)
	case "tamper":
		return a.tamper(d)
	case "clear":
		return d.ClearPerimeter()
	case "tap":
		return a.tap(d)
	case "unbind":
		return d.InjectUnbind()
	case "rebind":
		return d.InjectRebind()
	case "timeouts":
		return a.timeouts(d)
	case "boot":
		_, err := d.Boot()
		return err
	}
	return errors.New("the panel has no such act")
}

func (a panelAct) measured(set func(float32) error) error {
	value, err := measure(a.Value)
	if err != nil {
		return err
	}
	return set(value)
}

func (a panelAct) tamper(d *softSCM) error {
	channel, err := strconv.Atoi(a.Value)
	if err != nil || channel < 0 || channel >= board.PerimeterChannels {
		return fmt.Errorf("perimeter channel %q: there are the channels 0 and 1", a.Value)
	}
	return d.InjectTamper(channel)
}

func (a panelAct) tap(d *softSCM) error {
	axis, sign, ok := tapDirection(a.Value)
	if !ok {
		return fmt.Errorf("direction %q: there are x+, x-, y+, y-, z+ and z-", a.Value)
	}
	return d.InjectTap(axis, sign)
}

func (a panelAct) timeouts(d *softSCM) error {
	n, err := strconv.ParseUint(a.Value, 10, 8)
	if err != nil {
		return fmt.Errorf("%q calls cannot time out", a.Value)
	}
	return d.InjectFault(board.Fault{Timeouts: int(n)})
}

// What a flash of the LED takes, in ms.
const (
	quickFlash = 50  // and as long after it, ten of them before a code
	rapid      = 100 // and as long after it
	slowFlash  = 500 // of a code, and as long after it
	ledPause   = 1000
	ledRound   = 3000
)

// blinkOf is what the LED does, in ms on, off, on ...; nothing while it stays off.
func blinkOf(l ledStatus) []int {
	if l.Code != 0 {
		return blinkOfCode(l.Code, l.Sub)
	}
	known := map[string][]int{
		"one blink every 3 seconds":          {rapid, ledRound - rapid},
		"three rapid blinks every 3 seconds": {rapid, rapid, rapid, rapid, rapid, ledRound - 5*rapid},
		"rapid blinking":                     {rapid, rapid},
		"rapid blinking, then off":           append(slices.Repeat([]int{rapid}, 19), 10*ledPause),
		"on":                                 {ledPause},
	}
	if times, is := known[l.Pattern]; is {
		return times
	}
	on, off, is := strings.Cut(strings.TrimSuffix(l.Pattern, " off"), " on, ")
	a, errOn := time.ParseDuration(on)
	b, errOff := time.ParseDuration(off)
	if !is || errOn != nil || errOff != nil {
		return []int{}
	}
	return []int{int(a.Milliseconds()), int(b.Milliseconds())}
}

// blinkOfCode is ten quick flashes, the code, and perhaps its subcode.
func blinkOfCode(code, sub int) []int {
	times := append(slices.Repeat([]int{quickFlash}, 19), ledPause)
	times = append(slices.Concat(times, slices.Repeat([]int{slowFlash}, 2*code-1)), ledPause)
	if sub != 0 {
		times = append(slices.Concat(times, slices.Repeat([]int{slowFlash}, 2*sub-1)), ledPause)
	}
	return times
}
