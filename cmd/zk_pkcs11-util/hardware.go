// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// hardwareStatus is what the vendor's C API tells of an SCM. It tells no threshold, no
// action, and nothing of the LED.
type hardwareStatus struct {
	Production *bool    `json:"production"` // null = unknown, here and below
	Bound      *bool    `json:"bound"`
	Volts      *float32 `json:"battery_volts"`
	Celsius    *float32 `json:"temperature_celsius"`
	Events     []uint32 `json:"perimeter_events"` // s since 1970 by channel, 0 = never
}

func newHardwareStatus(m scm.Monitor) (*hardwareStatus, error) {
	h, err := m.Health()
	return (*hardwareStatus)(&h), err
}

const unknown = "unknown"

func (h *hardwareStatus) printText(line func(name, format string, args ...any)) {
	line("Mode", "%s", wordsOf(h.Production, modeName))
	line("Bound", "%s", wordsOf(h.Bound, yesNo))
	line("Battery", "%s (threshold and action: %s)", wordsOf(h.Volts, inVolts), unknown)
	line("Temperature", "%s (limits and action: %s)", wordsOf(h.Celsius, inCelsius), unknown)
	for i, event := range h.Events {
		state := "closed"
		if event != 0 {
			state = "breached at " + moment(event)
		}
		line(fmt.Sprintf("Perimeter %d", i), "%s (action: %s)", state, unknown)
	}
	if h.Events == nil {
		line("Perimeter", unknown)
	}
	line("LED", unknown)
}

// wordsOf is a value in words, or that it is unknown.
func wordsOf[T any](value *T, words func(T) string) string {
	if value == nil {
		return unknown
	}
	return words(*value)
}

func inVolts(v float32) string { return fmt.Sprintf("%v V", v) }

func inCelsius(v float32) string { return fmt.Sprintf("%v °C", v) }
