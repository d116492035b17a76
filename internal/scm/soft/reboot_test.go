// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// TestRebootAfterFatal: an SCM like one in hardware tells the code, starts anew and goes on.
func TestRebootAfterFatal(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{Like: settings.LikeHardware, BootDelay: time.Minute}}).reset()
	must(t, b.d.InjectFatal("8"))
	b.led(8, 0)
	b.sign(scm.ErrTimeout)
	b.now = b.now.Add(3 * time.Minute)
	b.sign(nil)
	b.led(0, 0)
}

// TestFatalCodes: what these codes stand for happens on demand; it costs keys as it does with hardware.
func TestFatalCodes(t *testing.T) {
	for _, tt := range []struct {
		code      string
		main, sub int
		lost      error
	}{
		{code: "8", main: 8}, {code: "22-9", main: 22, sub: 9}, {code: "6", main: 6, lost: scm.ErrDestroyed},
	} {
		b := newBench(t, Options{})
		must(t, b.d.InjectFatal(tt.code))
		b.led(tt.main, tt.sub)
		b.sign(nil)
		b.lock()
		must(t, b.d.InjectFatal(tt.code))
		b.led(tt.main, tt.sub)
		b.sign(tt.lost)
	}
	b := newBench(t, Options{})
	b.want("another code", b.d.InjectFatal("7"), scm.ErrInput)
}

// TestFatalCodeGoes: a start tells a code again as long as there is its cause.
func TestFatalCodeGoes(t *testing.T) {
	b := newBench(t, Options{})
	must(t, b.d.SetPerimeterAction(0, board.ActionSelfDestruct))
	must(t, b.d.InjectTamper(0))
	b.boot()
	b.led(6, 1)
	must(t, b.d.ClearPerimeter())
	b.boot()
	b.led(0, 0)
}

// TestTamperResets: a tamper event starts early firmware anew (103).
func TestTamperResets(t *testing.T) {
	for _, firmware := range []string{"00.00.34beta", "01.00.00"} {
		b := newBench(t, Options{Settings: Settings{Firmware: firmware, BootDelay: time.Minute}}).reset()
		must(t, b.d.InjectTamper(0))
		if firmware == "01.00.00" {
			b.sign(nil)
			continue
		}
		b.sign(scm.ErrTimeout)
	}
}
