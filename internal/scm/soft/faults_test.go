// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

func TestSettle(t *testing.T) {
	for _, o := range []Options{{Settings: Settings{Settle: 10 * time.Second}}, {Settings: Settings{Firmware: "00.00.34beta"}}} {
		b := newBench(t, o)
		must(t, b.d.SetPerimeterAction(0, 0))
		b.sign(scm.ErrTimeout)
		b.now = b.now.Add(9 * time.Second)
		b.sign(scm.ErrTimeout)
		b.now = b.now.Add(2 * time.Second)
		b.sign(nil)
		b.sign(nil)
	}
}

func TestBootDelay(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{BootDelay: 90 * time.Second, Defects: []string{settings.DefectFirstCall}}})
	b.sign(nil)
	b.boot()
	b.sign(scm.ErrAbsent)
	if led, _ := b.d.LED(); led.Pattern != "rapid blinking" {
		t.Errorf("LED: %+v", led)
	}
	b.now = b.now.Add(91 * time.Second)
	_, err := b.other.Info()
	b.want("first call", err, scm.ErrTimeout)
	b.sign(nil)
}

func TestFaults(t *testing.T) {
	b := newBench(t, Options{})
	b.sign(nil)
	must(t, b.d.InjectFault(board.Fault{Timeouts: 3}))
	_, err := b.other.Keys()
	b.want("Keys", err, scm.ErrTimeout)
	b.sign(scm.ErrTimeout)
	b.sign(nil)
	must(t, b.d.InjectFault(board.Fault{Timeouts: 1000}))
	b.sign(scm.ErrTimeout)
	must(t, b.d.InjectFault(board.Fault{}))
	b.sign(nil)
	must(t, b.d.InjectFault(board.Fault{Restart: true}))
	b.sign(scm.ErrAbsent)
	b.sign(scm.ErrAbsent)
	must(t, b.d.Reconnect())
	must(t, b.other.Reconnect())
	b.sign(nil)
}

// A fault can be about one kind of call: others do not use it up.
func TestFaultOnOneCall(t *testing.T) {
	b := newBench(t, Options{})
	b.sign(nil)
	must(t, b.d.InjectFault(board.Fault{Timeouts: 2, On: board.SignCall}))
	_, err := b.d.Keys()
	b.want("Keys", err, nil)
	_, err = b.d.Generate(scm.P256)
	b.want("Generate", err, nil)
	b.sign(scm.ErrTimeout)
	b.sign(nil)
	must(t, b.d.InjectFault(board.Fault{Timeouts: 1, On: board.GenerateCall}))
	b.sign(nil)
	_, err = b.other.Generate(scm.P256)
	b.want("Generate", err, scm.ErrTimeout)
	_, err = b.other.Generate(scm.P256)
	b.want("Generate", err, nil)
	b.want("InjectFault", b.d.InjectFault(board.Fault{On: "find"}), scm.ErrInput)
}

// What was injected is taken back, but for what came of it.
func TestUndo(t *testing.T) {
	b := newBench(t, Options{})
	must(t, errors.Join(b.d.InjectTamper(0), b.d.InjectTamper(1), b.d.UndoTamper(1), b.d.InjectBattery(1), b.d.UndoBattery(),
		b.d.InjectTemperature(90), b.d.UndoTemperature(), b.d.InjectFatal("8"), b.d.UndoFatal(), b.d.InjectTap(0, 1), b.d.UndoTap()))
	s, err := b.d.Status()
	must(t, err)
	if s.Perimeter[0].Event == 0 || s.Perimeter[1].Event != 0 || s.Battery.Volts != 3.1 || s.Temperature.Celsius != 40 || s.LED.Code != 0 {
		t.Errorf("%+v", s)
	}
	a, err := b.d.Accelerometer()
	must(t, err)
	if a[0].Tap != 0 {
		t.Errorf("%+v", a)
	}
	b.want("UndoTamper", b.d.UndoTamper(2), scm.ErrInput)
}

func TestHugeSlot(t *testing.T) {
	for name, make := range map[string]func() *bench{
		"fault": func() *bench {
			b := newBench(t, Options{})
			must(t, b.d.InjectFault(board.Fault{HugeSlot: true}))
			return b
		},
		"firmware": func() *bench { return newBench(t, Options{Settings: Settings{Firmware: "00.00.51beta"}}) },
	} {
		for what, call := range map[string]func(*Device) error{
			"PublicKey":     func(d *Device) error { _, err := d.PublicKey(99999); return err },
			"Sign":          func(d *Device) error { _, err := d.Sign(99999, nil); return err },
			"ForeignKey":    func(d *Device) error { _, err := d.ForeignKey(99999); return err },
			"RemoveForeign": func(d *Device) error { return d.RemoveForeign(99999) },
			"Verify":        func(d *Device) error { _, err := d.VerifyForeign(99999, nil, nil); return err },
		} {
			b := make()
			b.sign(nil)
			b.want(name+": "+what, call(b.d), scm.ErrAbsent)
			b.sign(scm.ErrAbsent)
		}
	}
	b := newBench(t, Options{})
	_, err := b.d.PublicKey(99999)
	b.want("PublicKey without the defect", err, scm.ErrSlotRange)
}
