// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/doctor"
	"libzk_pkcs11/pkcs11"
)

const aboutCheck = `Look whether all is well, for a monitoring system: one line, and the exit status 0 (OK),
1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN). What it looks at is what "doctor" looks at,
and "doctor" tells what to do about it. It makes no directory and no file.

With --key it makes one signature with that key, and verifies it. It takes the PIN
from its options, from the URI (pin-source), or from systemd (zk_pkcs11.pin), asks
nobody, and does not log in while the PIN has fewer tries left than a new one: it
never locks a PIN.

With --prometheus it prints the text format, for the textfile collector.`

// How a check ends: as monitoring plugins do.
const (
	checkOK = iota
	checkWarning
	checkCritical
	checkUnknown
)

// checkTool has the command.
type checkTool struct {
	output
	examination
	key        string
	prometheus bool
	pin        pinSource
}

func newCheckCommand() *cobra.Command {
	x := &checkTool{pin: userPINSource()}
	c := &cobra.Command{
		Use: "check", Short: "Look whether all is well, for a monitoring system", Long: aboutCheck, Args: cobra.NoArgs,
		Example: "  zk_pkcs11-util check\n" +
			"  zk_pkcs11-util check --key 'pkcs11:object=www' --pin-file /etc/nagios/pin\n" +
			"  zk_pkcs11-util check --prometheus > zk_pkcs11.new",
		RunE: x.run,
	}
	c.Flags().StringVar(&x.key, "key", "", "sign with the key that the pkcs11: `URI` names, and verify the signature")
	c.Flags().BoolVar(&x.prometheus, "prometheus", false, "print the text format of Prometheus")
	x.pin.addTo(c.Flags())
	x.addJSON(c)
	x.tokenName.addTo(c.Flags(), "token")
	return c
}

// asPlugin has mistakes in the command line of "check" end it with UNKNOWN, as monitoring systems want it.
func asPlugin(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() == "check" {
			p := plugin{c.Args}
			c.Args = p.checkArguments
			c.SetFlagErrorFunc(p.aboutOption)
		}
	}
}

type plugin struct{ rule cobra.PositionalArgs }

func (p plugin) checkArguments(c *cobra.Command, words []string) error {
	return unknownState(p.rule(c, words))
}

func (p plugin) aboutOption(c *cobra.Command, err error) error {
	return unknownState(aboutOption(c, err))
}

func unknownState(err error) error {
	if err == nil {
		return nil
	}
	return &ending{checkUnknown, err}
}

// checkResult is what "check --json" prints.
type checkResult struct {
	Status    int         `json:"status"` // 0 to 3
	State     string      `json:"state"`
	Problems  []string    `json:"problems"` // names of doctor's findings, and of what else is wrong
	Message   string      `json:"message"`
	Seconds   float64     `json:"signature_seconds,omitempty"` // that the signature took
	Signed    *bool       `json:"signed,omitempty"`            // with --key
	Slots     []slotState `json:"slots"`
	findings  []doctor.Finding
	something []string // problems in words
}

// slotState is what is measured of one slot. What is not known is left out.
type slotState struct {
	Slot         int      `json:"slot"`
	Label        string   `json:"label"`
	Serial       string   `json:"serial"`
	Model        string   `json:"model"`
	Firmware     string   `json:"firmware"`
	Initialized  bool     `json:"initialised"`
	Answers      bool     `json:"answers"`
	UserTries    *int     `json:"user_pin_tries_left,omitempty"`
	SOTries      *int     `json:"so_pin_tries_left,omitempty"`
	KeySlots     *int     `json:"key_slots,omitempty"`
	KeySlotsUsed *int     `json:"key_slots_used,omitempty"`
	Foreign      *int     `json:"foreign_slots_used,omitempty"`
	Volts        *float32 `json:"battery_volts,omitempty"`
	Celsius      *float32 `json:"temperature_celsius,omitempty"`
	Events       []uint32 `json:"perimeter_events,omitempty"`
	Time         uint32   `json:"time,omitempty"`
	Changes      *uint64  `json:"changes,omitempty"`
	Processes    *int     `json:"processes,omitempty"`
}

func (x *checkTool) run(c *cobra.Command, _ []string) error {
	x.out = c.OutOrStdout()
	report, err := x.examine()
	if err != nil {
		return unknownState(err)
	}
	r := newCheckResult(report)
	x.tryKey(&r)
	r.finish()
	if x.prometheus {
		return errors.Join(x.printProse(r.printPrometheus), endWith(r.Status))
	}
	return errors.Join(x.print("check/1", r, r.printLine), endWith(r.Status))
}

// printProse prints a result in a form of its own.
func (x *checkTool) printProse(text func(io.Writer)) error {
	var b strings.Builder
	text(&b)
	_, err := io.WriteString(x.out, b.String())
	return err
}

func endWith(status int) error {
	if status == checkOK {
		return nil
	}
	return silently(status)
}

func newCheckResult(report doctor.Report) checkResult {
	r := checkResult{Problems: []string{}, Slots: []slotState{}, findings: report.Findings, Status: report.Worst()}
	for _, s := range report.Slots {
		r.Slots = append(r.Slots, slotState(s))
	}
	for _, f := range report.Findings {
		if f.Level != doctor.Info {
			r.add(f.Name, f.What)
		}
	}
	for _, s := range r.Slots {
		if !s.Initialized && r.Status == checkOK {
			r.Status = checkWarning
			r.add("token", fmt.Sprintf("slot %d has no token", s.Slot))
		}
	}
	return r
}

func (r *checkResult) add(name, what string) {
	r.Problems = append(r.Problems, name)
	r.something = append(r.something, name+": "+what)
}

// tryKey makes the signature that --key asks for.
func (x *checkTool) tryKey(r *checkResult) {
	if x.key == "" {
		return
	}
	t := trial{pin: &x.pin}
	var err error
	if t.uri, err = parseKeyURI(x.key); err == nil {
		err = x.pin.load()
	}
	if err != nil {
		r.Status = max(r.Status, checkUnknown)
		r.add("key", err.Error())
		return
	}
	err = t.run(vitalsOf(r.Slots))
	signed := err == nil
	r.Signed, r.Seconds = &signed, t.took.Seconds()
	r.judge(err)
}

func vitalsOf(slots []slotState) (all []doctor.Vitals) {
	for _, s := range slots {
		all = append(all, doctor.Vitals(s))
	}
	return all
}

// judge takes the end of a trial: a signature that fails is CRITICAL, and none at all UNKNOWN, unless it is clear why.
func (r *checkResult) judge(err error) {
	switch {
	case err == nil:
	case errors.Is(err, errUnasked):
		r.add("key", strings.TrimPrefix(err.Error(), errUnasked.Error()+": "))
		if r.Status == checkOK {
			r.Status = checkUnknown
		}
	default:
		r.add("key", explain(err))
		r.Status = checkCritical
		if errors.Is(err, pkcs11.CKR_PIN_INCORRECT) {
			r.something[len(r.something)-1] = "key: the PIN is wrong; check does not try it again before somebody has logged in with the right one"
		}
	}
}

// finish names the state, and makes the message.
func (r *checkResult) finish() {
	r.State = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[r.Status]
	if len(r.something) == 0 {
		r.something = r.summaries()
	}
	if r.Signed != nil && *r.Signed {
		r.something = append(r.something, fmt.Sprintf("signed in %.1f ms", 1000*r.Seconds))
	}
	r.Message = strings.Join(r.something, "; ")
	r.Message = strings.Map(inOneLine, r.Message)
}

// inOneLine leaves nothing in a line that a monitoring system takes for its end, or for the beginning of its numbers.
func inOneLine(c rune) rune {
	switch {
	case c == '|':
		return '/'
	case c < ' ' || c == 0x7f:
		return ' '
	}
	return c
}

// summaries are what is told when all is well.
func (r *checkResult) summaries() (parts []string) {
	for _, s := range r.Slots {
		parts = append(parts, s.summary())
	}
	return parts
}

func (s slotState) summary() string {
	text := fmt.Sprintf("token %q", s.Label)
	if s.KeySlotsUsed != nil {
		text += fmt.Sprintf(", %d of %d key slots", *s.KeySlotsUsed, *s.KeySlots)
	}
	if s.Volts != nil {
		text += fmt.Sprintf(", %v V", *s.Volts)
	}
	if s.Celsius != nil {
		text += fmt.Sprintf(", %v °C", *s.Celsius)
	}
	return text
}

// printLine prints the line of a plugin, with numbers behind a bar.
func (r *checkResult) printLine(w io.Writer) {
	fmt.Fprintf(w, "ZK_PKCS11 %s - %s", r.State, r.Message)
	var numbers []string
	for _, s := range r.Slots {
		numbers = append(numbers, s.numbers(len(r.Slots) > 1)...)
	}
	if r.Signed != nil && *r.Signed {
		numbers = append(numbers, fmt.Sprintf("signature=%.6fs", r.Seconds))
	}
	if numbers != nil {
		fmt.Fprintf(w, " | %s", strings.Join(numbers, " "))
	}
	fmt.Fprintln(w)
}

// numbers are the performance data of a slot, whose number is in the names where there are several.
func (s slotState) numbers(several bool) (all []string) {
	prefix := ""
	if several {
		prefix = fmt.Sprintf("slot%d_", s.Slot)
	}
	if s.UserTries != nil {
		all = append(all, fmt.Sprintf("%suser_pin_tries=%d;;;0;%d", prefix, *s.UserTries, pinTries))
	}
	if s.KeySlotsUsed != nil {
		all = append(all, fmt.Sprintf("%skey_slots=%d;;;0;%d", prefix, *s.KeySlotsUsed, *s.KeySlots))
	}
	if s.Volts != nil {
		all = append(all, fmt.Sprintf("%sbattery=%v", prefix, *s.Volts))
	}
	if s.Celsius != nil {
		all = append(all, fmt.Sprintf("%stemperature=%v", prefix, *s.Celsius))
	}
	if s.Processes != nil {
		all = append(all, fmt.Sprintf("%sprocesses=%d", prefix, *s.Processes))
	}
	return all
}
