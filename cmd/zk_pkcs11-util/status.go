// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
)

// scmStatus is what "scm status" tells. The names are those of its JSON.
type scmStatus struct {
	Slot     uint   `json:"slot"`
	Model    string `json:"model"`
	Serial   string `json:"serial"`
	Firmware string `json:"firmware"`
	Time     uint32 `json:"time,omitempty"` // s since 1970
	*softStatus
	Hardware *hardwareStatus `json:"hardware,omitempty"`
	KeySlots []scm.Slot      `json:"key_slots"`
	Foreign  []scm.Slot      `json:"foreign_slots"`
	Pool     []poolSCM       `json:"pool,omitempty"` // the further SCMs of the slot

	keys occupancy
}

// softStatus is what only the soft SCM tells.
type softStatus struct {
	Answers     bool              `json:"answers"`
	Problem     string            `json:"problem,omitempty"` // why it does not
	Destroyed   bool              `json:"destroyed"`
	Mode        string            `json:"mode"` // "development" or "production"
	Pending     bool              `json:"production_pending"`
	Bound       bool              `json:"bound"`
	Battery     batteryStatus     `json:"battery"`
	Temperature temperatureStatus `json:"temperature"`
	Perimeter   []channelStatus   `json:"perimeter"`
	LED         ledStatus         `json:"led"`
	Ephemeral   bool              `json:"ephemeral_key"`
	Capacity    int               `json:"capacity"`
}

type batteryStatus struct {
	Volts     float32 `json:"volts"`
	Threshold float32 `json:"threshold"`
	Action    string  `json:"action"`
}

type temperatureStatus struct {
	Celsius float32 `json:"celsius"`
	Low     float32 `json:"low"`
	High    float32 `json:"high"`
	Action  string  `json:"action"`
}

type channelStatus struct {
	Notify       bool   `json:"notify"`
	SelfDestruct bool   `json:"self_destruct"`
	Event        uint32 `json:"event"` // s since 1970, 0 = never
}

type ledStatus struct {
	Pattern string `json:"pattern"`
	Meaning string `json:"meaning"`
	Code    int    `json:"code,omitempty"`
	Sub     int    `json:"sub,omitempty"`
}

func (x *scmTool) statusCommand() *cobra.Command {
	return x.addWatch(x.onDevice("status", "Show the state of the SCM and a map of its key slots", cobra.NoArgs, x.printStatus))
}

func (x *scmTool) printStatus(t *target, _ []string) error {
	s, err := t.status()
	if err != nil {
		return err
	}
	if s.Pool, err = t.furtherSCMs(); err != nil {
		return err
	}
	if err := x.printResult(s, s.printText); err != nil || s.softStatus == nil || s.Answers {
		return err
	}
	return fmt.Errorf("the SCM in slot %d does not answer, so that there is no token; what \"scm inject\" has done \"scm inject fault\" and "+
		"\"scm inject unbind --undo\" take back", s.Slot)
}

func (t *target) status() (scmStatus, error) {
	if d, ok := t.device.(*softSCM); ok {
		return t.softStatus(d)
	}
	info, err := t.device.Info()
	if err != nil {
		return scmStatus{}, err
	}
	s := scmStatus{
		Slot: t.slot, Model: info.Model, Serial: info.Serial, Firmware: info.Firmware,
		KeySlots: []scm.Slot{}, Foreign: []scm.Slot{},
	}
	if c, ok := t.device.(scm.Clock); ok {
		if s.Time, err = c.Time(); err != nil && errors.Is(err, scm.ErrAbsent) {
			return scmStatus{}, err // without a clock it has no time, and the rest
		}
	}
	if m, ok := t.device.(scm.Monitor); ok {
		if s.Hardware, err = newHardwareStatus(m); err != nil {
			return scmStatus{}, err
		}
	}
	known, err := t.device.Keys()
	if err != nil {
		return scmStatus{}, err
	}
	all, err := t.ownKeys()
	if err != nil {
		return scmStatus{}, err
	}
	for _, k := range all {
		s.KeySlots = append(s.KeySlots, k.Slot)
	}
	s.keys = newOccupancy(s.KeySlots, known, scm.UserSlots)
	foreign, err := t.foreignKeys()
	for _, k := range foreign {
		s.Foreign = append(s.Foreign, k.Slot)
	}
	return s, err
}

// softStatus asks a soft SCM that does not answer for nothing but its state: a
// call would use up a timeout that a test has injected.
func (t *target) softStatus(d *softSCM) (scmStatus, error) {
	state, err := d.Status()
	if err != nil {
		return scmStatus{}, err
	}
	var keys []scm.Key
	if state.Answers && !state.Destroyed {
		if keys, err = d.Keys(); err != nil {
			return scmStatus{}, err
		}
	}
	s := scmStatus{
		Slot: t.slot, Model: state.Model, Serial: state.Serial, Firmware: state.Firmware, Time: state.Time,
		softStatus: newSoftStatus(state), KeySlots: []scm.Slot{}, Foreign: append([]scm.Slot{}, state.Foreign...),
	}
	for _, n := range state.Slots {
		if n == scm.EphemeralSlot {
			s.Ephemeral = true
		} else {
			s.KeySlots = append(s.KeySlots, n)
		}
	}
	s.keys = newOccupancy(s.KeySlots, keys, d.Options().UserSlots)
	return s, nil
}

func newSoftStatus(s soft.Status) *softStatus {
	r := &softStatus{
		Answers: s.Answers, Problem: s.Problem, Destroyed: s.Destroyed,
		Mode: modeName(s.Production), Pending: s.Pending, Bound: s.Bound,
		Battery:     batteryStatus{s.Battery.Volts, s.Battery.Threshold, action(s.Battery.Action)},
		Temperature: temperatureStatus{s.Temperature.Celsius, s.Temperature.Low, s.Temperature.High, action(s.Temperature.Action)},
		LED:         newLED(s.LED),
		Capacity:    s.Capacity,
	}
	for _, c := range s.Perimeter {
		r.Perimeter = append(r.Perimeter, channelStatus(c))
	}
	return r
}

func newLED(l board.LED) ledStatus { return ledStatus{l.Pattern, l.Meaning, l.Code, l.Sub} }

// String tells what the LED shows, and what that means.
func (l ledStatus) String() string { return fmt.Sprintf("%s (%s)", l.Pattern, l.Meaning) }

func modeName(production bool) string {
	if production {
		return "production"
	}
	return "development"
}

// action is the name of a soft.Threshold constant.
func action(n int) string {
	return map[int]string{
		board.ThresholdNone: "none", board.ThresholdSelfDestruct: "self-destruct", board.ThresholdSleep: "sleep",
	}[n]
}

// printText prints the status for people.
func (s scmStatus) printText(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-14s%s\n", name, fmt.Sprintf(format, args...))
	}
	line("Slot", "%d", s.Slot)
	line("Model", "%s", s.Model)
	line("Serial", "%s", s.Serial)
	line("Firmware", "%s", s.Firmware)
	if s.softStatus != nil {
		s.softStatus.printText(line)
	}
	if s.Hardware != nil {
		s.Hardware.printText(line)
	}
	if s.Time != 0 {
		line("Time", "%s", moment(s.Time))
	}
	for _, further := range s.Pool {
		line("Pool", "%s: %s", further.Path, further.stateText())
	}
	line("Foreign keys", "%d of %d", len(s.Foreign), scm.ForeignSlots)
	line("Key slots", "%d of %d in use", len(s.KeySlots), s.keys.total)
	s.keys.drawMap(w)
}

func (s *softStatus) printText(line func(name, format string, args ...any)) {
	if !s.Answers {
		line("Answers", "no: %s", s.Problem)
	}
	if s.Destroyed {
		line("Keys", "destroyed for good")
	}
	mode := s.Mode
	if s.Pending {
		mode += ", production from the next start on"
	}
	line("Mode", "%s", mode)
	line("Bound", "%s", yesNo(s.Bound))
	b, h := s.Battery, s.Temperature
	line("Battery", "%v V (low: below %v V; action: %s)", b.Volts, b.Threshold, b.Action)
	line("Temperature", "%v °C (allowed: %v to %v °C; action: %s)", h.Celsius, h.Low, h.High, h.Action)
	for i, c := range s.Perimeter {
		line(fmt.Sprintf("Perimeter %d", i), "%s", c)
	}
	line("LED", "%s", s.LED)
	line("Ephemeral key", "%s", yesNo(s.Ephemeral))
}

// String tells of a channel what happened to it and what it does then.
func (c channelStatus) String() string {
	state := "closed"
	if c.Event != 0 {
		state = "breached at " + moment(c.Event)
	}
	var actions []string
	if c.Notify {
		actions = append(actions, "notify")
	}
	if c.SelfDestruct {
		actions = append(actions, "self-destruct")
	}
	if actions == nil {
		actions = []string{"none"}
	}
	return fmt.Sprintf("%s (action: %s)", state, strings.Join(actions, ", "))
}

func moment(seconds uint32) string {
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
