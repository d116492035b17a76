// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// metric is a family of samples in the text format of Prometheus. One without samples is left out.
type metric struct {
	name, kind, help string
	samples          []sample
}

// sample is one value, with pairs of names and values of its labels.
type sample struct {
	labels []string
	value  float64
}

// printTo writes the family.
func (m *metric) printTo(w io.Writer) {
	if len(m.samples) == 0 {
		return
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", m.name, m.help, m.kind)
	for _, s := range m.samples {
		fmt.Fprintf(w, "%s%s %s\n", m.name, s.labelText(), strconv.FormatFloat(s.value, 'g', -1, 64))
	}
}

func (s sample) labelText() string {
	if len(s.labels) == 0 {
		return ""
	}
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	var pairs []string
	for i := 0; i < len(s.labels); i += 2 {
		pairs = append(pairs, fmt.Sprintf(`%s="%s"`, s.labels[i], escape.Replace(strings.ToValidUTF8(s.labels[i+1], "\uFFFD"))))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// add adds a sample.
func (m *metric) add(value float64, labels ...string) {
	m.samples = append(m.samples, sample{labels, value})
}

// count adds 1 to the sample with these labels.
func (m *metric) count(labels ...string) {
	for i := range m.samples {
		if slices.Equal(m.samples[i].labels, labels) {
			m.samples[i].value++
			return
		}
	}
	m.add(1, labels...)
}

// addKnown adds a sample of what may be unknown.
func addKnown[T int | uint64 | float32](m *metric, value *T, labels ...string) {
	if value != nil {
		// A float32 has the digits that it is told with, and not those of a float64 beside it.
		exact, _ := strconv.ParseFloat(fmt.Sprint(*value), 64)
		m.add(exact, labels...)
	}
}

// printPrometheus prints all that is known.
func (r *checkResult) printPrometheus(w io.Writer) {
	families := append(r.ownMetrics(), slotMetrics(r.Slots)...)
	for _, m := range families {
		m.printTo(w)
	}
}

// ownMetrics are those of the check itself.
func (r *checkResult) ownMetrics() []*metric {
	status := &metric{name: "zk_pkcs11_status", kind: "gauge", help: "Result of the check: 0 OK, 1 warning, 2 critical, 3 unknown."}
	status.add(float64(r.Status))
	findings := &metric{name: "zk_pkcs11_finding", kind: "gauge", help: "What doctor finds, by name and level."}
	for _, f := range r.findings {
		findings.count("name", f.Name, "level", string(f.Level))
	}
	signed := &metric{name: "zk_pkcs11_check_signature_success", kind: "gauge", help: "Whether the key of --key has signed, and the signature was right."}
	took := &metric{name: "zk_pkcs11_check_signature_seconds", kind: "gauge", help: "How long the signature took."}
	if r.Signed != nil {
		signed.add(truth(*r.Signed))
		if *r.Signed {
			took.add(r.Seconds)
		}
	}
	return []*metric{status, findings, signed, took}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// slotFamilies are the metrics of slots.
type slotFamilies struct {
	info, initialised, answers, tries, total, used, foreign, volts, celsius, events, clock, changes, processes *metric
}

func newSlotFamilies() slotFamilies {
	gauge := func(name, help string) *metric {
		return &metric{name: "zk_pkcs11_" + name, kind: "gauge", help: help}
	}
	return slotFamilies{
		info:        gauge("token_info", "The token in a slot, and its SCM."),
		initialised: gauge("token_initialised", "Whether the token is initialised."),
		answers:     gauge("scm_answers", "Whether the SCM answers and has its keys."),
		tries:       gauge("pin_tries_left", "Wrong PINs in a row until a PIN is locked, by user (user, so)."),
		total:       gauge("key_slots", "Key slots that the SCM has."),
		used:        gauge("key_slots_used", "Key slots with a key."),
		foreign:     gauge("foreign_slots_used", "Slots with a foreign public key."),
		volts:       gauge("battery_volts", "Voltage of the battery of the SCM."),
		celsius:     gauge("temperature_celsius", "Temperature of the SCM."),
		events:      gauge("perimeter_event_timestamp_seconds", "First breach of a perimeter channel, in seconds since 1970, 0 for none."),
		clock:       gauge("scm_time_seconds", "Clock of the SCM, in seconds since 1970."),
		changes:     &metric{name: "zk_pkcs11_scm_changes_total", kind: "counter", help: "Changes of the SCM since it was made: keys made and removed, PINs set."},
		processes:   gauge("processes", "Processes that have the token open, of those that the check may look at."),
	}
}

func slotMetrics(slots []slotState) []*metric {
	f := newSlotFamilies()
	for _, s := range slots {
		f.addSlot(s, "slot", strconv.Itoa(s.Slot))
	}
	return []*metric{f.info, f.initialised, f.answers, f.tries, f.total, f.used, f.foreign, f.volts, f.celsius, f.events, f.clock, f.changes, f.processes}
}

func (f slotFamilies) addSlot(s slotState, slot ...string) {
	f.info.add(1, append(slot, "label", s.Label, "serial", s.Serial, "model", s.Model, "firmware", s.Firmware)...)
	f.initialised.add(truth(s.Initialized), slot...)
	f.answers.add(truth(s.Answers), slot...)
	addKnown(f.tries, s.UserTries, append(slot, "user", "user")...)
	addKnown(f.tries, s.SOTries, append(slot, "user", "so")...)
	addKnown(f.total, s.KeySlots, slot...)
	addKnown(f.used, s.KeySlotsUsed, slot...)
	addKnown(f.foreign, s.Foreign, slot...)
	addKnown(f.volts, s.Volts, slot...)
	addKnown(f.celsius, s.Celsius, slot...)
	for channel, at := range s.Events {
		f.events.add(float64(at), append(slot, "channel", strconv.Itoa(channel))...)
	}
	if s.Time != 0 {
		f.clock.add(float64(s.Time), slot...)
	}
	addKnown(f.changes, s.Changes, slot...)
	addKnown(f.processes, s.Processes, slot...)
}
