// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
)

// lookAtDevice looks at what the SCM tells of itself.
func (v *visit) lookAtDevice(d scm.Device, l setup.Look) {
	if s, is := d.(*soft.Device); is {
		v.lookAtSoft(s, l)
		return
	}
	info, err := d.Info()
	if err != nil {
		v.tell(Finding{
			Name: "device-silent", Level: Error, What: err.Error(), Why: "programs find no token in the slot",
			Command: waked(),
		})
		return
	}
	v.note("SCM", "%s %s, firmware %s", info.Model, info.Serial, info.Firmware)
	v.checkFirmware(info.Firmware, l)
	v.measureHardware(d, info)
	v.checkEvents(v.vitals().Events)
	v.checkClocks(v.vitals().Time)
}

// lookAtSoft is lookAtDevice of the soft SCM, which tells more, and also when it does not answer.
func (v *visit) lookAtSoft(d *soft.Device, l setup.Look) {
	s, err := d.Status()
	if err != nil {
		v.tellFile(Finding{Level: Error, What: err.Error(), Why: "programs find no token in the slot"}, soft.FlashFile, err)
		return
	}
	v.note("SCM", "%s %s, firmware %s", s.Model, s.Serial, s.Firmware)
	v.measureSoft(d, s)
	switch {
	case s.Destroyed:
		v.tell(Finding{
			Name: "scm-destroyed", Level: Error,
			What:    "the SCM has destroyed its keys",
			Why:     "they are gone for good; only new ones can be made",
			Command: v.scmCommand("reset"),
		})
	case !s.Answers:
		v.tellSilent(s)
	}
	v.checkFirmware(s.Firmware, l)
	v.checkBattery(s)
	v.checkTemperature(s)
	v.checkEvents([]uint32{s.Perimeter[0].Event, s.Perimeter[1].Event})
	v.checkClocks(s.Time)
}

func (v *visit) scmCommand(words ...string) string {
	line := "zk_pkcs11-util scm " + strings.Join(words, " ")
	if *v.slot > 0 {
		line += fmt.Sprintf(" --slot %d", *v.slot)
	}
	return line
}

func (v *visit) tellSilent(s soft.Status) {
	f := Finding{
		Name: "scm-silent", Level: Error, What: "the soft SCM does not answer: " + s.Problem,
		Why: "programs find no token in the slot", Command: v.scmCommand("inject", "boot"),
	}
	if !s.Bound {
		f.Name, f.Command = "scm-unbound", v.scmCommand("inject", "unbind", "--undo")
	}
	v.tell(f)
}

// defect is what the vendor has published of a firmware.
type defect struct{ what, why string }

// defects are the worst of those that each firmware has (docs/settings.md has the names of all).
func defects() map[string]defect {
	return map[string]defect{
		lostKeys:       {"generated keys vanish when the SCM starts (lost-keys)", "a key that was certified is gone after a loss of power"},
		"00.00.51beta": {"the first call after a start times out, and a wrong slot number ends the daemon (first-call, huge-slot)", "services that start with the host fail at their first signature"},
		"00.00.34beta": {"the SCM and its host start anew at a breach, calls time out for 10 s after perimeter settings, and the first after a start (tamper-resets, slow-settle, first-call)", "services stand still, or fail at their first signature"},
	}
}

// lostKeys is a firmware whose defect the module avoids, unless the settings say otherwise.
const lostKeys = "01.02.02release"

// checkFirmware tells the published defects of a firmware, and what gets around them.
func (v *visit) checkFirmware(firmware string, l setup.Look) {
	known, bad := defects()[firmware]
	undo := "systemctl edit UNIT # ExecStartPre=zk_pkcs11-util scm wait"
	switch {
	case !bad, l.Hardware && firmware == lostKeys && v.config.Zymbit.KeyStore != "keys":
		return
	case !l.Hardware:
		undo = command("sed", "-i", "/^firmware *=/d", v.settingsFile())
	case firmware == lostKeys:
		undo = command("sed", "-i", "/^key_store *=/d", v.settingsFile())
	}
	v.tell(Finding{Name: "firmware-defects", Level: Warning, What: "firmware " + firmware + ": " + known.what, Why: known.why, Command: undo})
}

func (v *visit) checkBattery(s soft.Status) {
	b := s.Battery
	if b.Volts >= b.Threshold {
		return
	}
	v.tell(Finding{
		Name: "battery-low", Level: Warning,
		What:    fmt.Sprintf("the battery has %v V, and the threshold is %v V", b.Volts, b.Threshold),
		Why:     "without power the SCM no longer watches its perimeter, and loses its time; with an action for it, its keys",
		Command: v.scmCommand("inject", "battery", "3.1"),
	})
}

func (v *visit) checkTemperature(s soft.Status) {
	t := s.Temperature
	if t.Celsius >= t.Low && t.Celsius <= t.High {
		return
	}
	v.tell(Finding{
		Name: "temperature-out", Level: Warning,
		What:    fmt.Sprintf("the SCM has %v °C, and %v to %v °C are allowed", t.Celsius, t.Low, t.High),
		Why:     "with an action for it the SCM destroys its keys or sleeps",
		Command: v.scmCommand("inject", "temperature", "40"),
	})
}

// checkEvents tells of breaches: seconds since 1970 by channel, 0 for none.
func (v *visit) checkEvents(events []uint32) {
	for channel, at := range events {
		if at == 0 {
			continue
		}
		v.tell(Finding{
			Name: "perimeter-breached", Level: Warning,
			What:    fmt.Sprintf("perimeter channel %d was breached at %s", channel, time.Unix(int64(at), 0).UTC().Format(time.RFC3339)),
			Why:     "somebody may have opened the case; later breaches of the channel are not told before this one is cleared (zkClearPerimeterDetectEvents)",
			Command: v.scmCommand("status"),
		})
	}
}

// clocksApart is by how much the clocks of the SCM and the host may differ.
const clocksApart = 5 * time.Minute

func (v *visit) checkClocks(seconds uint32) {
	if seconds == 0 {
		return
	}
	apart := time.Until(time.Unix(int64(seconds), 0)).Abs().Round(time.Second)
	if apart <= clocksApart {
		return
	}
	v.tell(Finding{
		Name: "clocks-differ", Level: Warning,
		What:    fmt.Sprintf("the clocks of the SCM and of this host differ by %v", apart),
		Why:     "times of breaches are wrong, or certificates are taken for expired or not yet valid",
		Command: "timedatectl set-ntp true",
	})
}
