// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

func TestModes(t *testing.T) {
	b := newBench(t, Options{})
	b.binding(false)
	b.boot()
	must(t, b.d.LockBinding())
	b.binding(false)
	if r := b.boot(); !r.Production || !r.Bound || r.Destroyed {
		t.Errorf("Boot: %+v", r)
	}
	b.binding(true)
	b.want("second LockBinding", b.d.LockBinding(), scm.ErrFixed)
	b.boot()
	b.binding(true)
	b.sign(nil)
	for name, err := range map[string]error{
		"SetBatteryAction":         b.d.SetBatteryAction(board.ThresholdNone),
		"SetBatteryThreshold":      b.d.SetBatteryThreshold(2),
		"SetTemperatureAction":     b.d.SetTemperatureAction(board.ThresholdNone),
		"SetTemperatureThresholds": b.d.SetTemperatureThresholds(nil, nil),
	} {
		b.want(name, err, scm.ErrFixed)
	}
	must(t, b.d.SetPerimeterAction(0, board.ActionNotify))
	b.want("second SetPerimeterAction", b.d.SetPerimeterAction(0, 0), scm.ErrFixed)
	must(t, b.d.SetPerimeterAction(1, 0))
}

// TestOtherHost starts the SCM in another host: in development mode it belongs to
// that one then, in production mode it does not answer there.
func TestOtherHost(t *testing.T) {
	b := newBench(t, Options{})
	b.other.options.Host = "other host"
	for _, production := range []bool{false, true} {
		if production {
			b.lock()
		}
		r, err := b.other.Boot()
		must(t, err)
		if r.Bound == production {
			t.Errorf("production %v: Boot on another host: %+v", production, r)
		}
	}
	b.sign(scm.ErrAbsent)
	_, err := b.d.Info()
	b.want("Info", err, scm.ErrAbsent)
	_, _, err = b.d.Binding()
	b.want("Binding", err, scm.ErrAbsent)
	if led, err := b.d.LED(); err != nil || led.Pattern != "rapid blinking, then off" {
		t.Errorf("LED: %+v, %v", led, err)
	}
	b.boot()
	b.signs(b.d, nil)
	b.signs(b.other, scm.ErrAbsent)
}

// TestMovedFlash brings the flash to another host without a start.
func TestMovedFlash(t *testing.T) {
	b := newBench(t, Options{})
	b.other.options.Host = "other host"
	b.sign(nil)
	b.lock()
	b.signs(b.d, nil)
	b.signs(b.other, scm.ErrAbsent)
	must(t, b.other.InjectRebind())
	b.signs(b.other, scm.ErrAbsent)
	if led, err := b.other.LED(); err != nil || led.Pattern != "rapid blinking, then off" {
		t.Errorf("LED: %+v, %v", led, err)
	}
	b.signs(b.d, nil)
}

func TestUnbind(t *testing.T) {
	b := newBench(t, Options{})
	b.sign(nil)
	before := b.other.Version()
	must(t, b.d.InjectUnbind())
	if b.other.Version() == before {
		t.Error("Version is the same when the SCM does not answer any more")
	}
	b.sign(scm.ErrAbsent)
	_, err := b.other.Keys()
	b.want("Keys", err, scm.ErrAbsent)
	b.want("Random", b.d.Random(make([]byte, 1)), scm.ErrAbsent)
	if s, err := b.d.Status(); err != nil || s.Answers || s.Bound || s.Problem == "" {
		t.Errorf("Status: %+v, %v", s, err)
	}
	must(t, b.d.InjectRebind())
	b.sign(nil)
}

// TestTellsUnbound: a host to which the SCM is not bound learns so where the
// setting says that it does, and nothing else.
func TestTellsUnbound(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{TellsUnbound: true}})
	must(t, b.d.InjectUnbind())
	if locked, bound, err := b.other.Binding(); locked || bound || err != nil {
		t.Errorf("Binding = %v, %v, %v", locked, bound, err)
	}
	b.sign(scm.ErrAbsent)
	must(t, b.d.InjectRebind())
	b.binding(false)
}

// TestSelfDestruct breaches the perimeter in both modes.
func TestSelfDestruct(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		b := newBench(t, Options{})
		if sealed {
			must(t, b.d.Prepare([]byte("secret")))
			must(t, b.d.Unseal([]byte("secret")))
			must(t, b.other.Unseal([]byte("secret")))
		}
		_, err := b.d.GenerateVolatile(scm.P256)
		must(t, err)
		locked, err := b.d.Lock([]byte("data"), scm.OneWayKey)
		must(t, err)
		must(t, b.d.SetPerimeterAction(0, board.ActionSelfDestruct|board.ActionNotify))
		must(t, b.other.InjectTamper(0))
		b.sign(nil)
		b.led(6, 1)
		must(t, b.d.ClearPerimeter())
		b.lock()
		must(t, b.other.InjectTamper(1))
		b.sign(nil)
		var blobs [][]byte
		for _, k := range b.d.known.Load().allKeys() {
			blobs = append(blobs, k.blob)
		}
		if sealed {
			blobs = append(blobs, b.d.known.Load().sealed)
		}
		dir := filepath.Dir(b.d.rootKey.path())
		if len(holding(t, dir, blobs)) == 0 {
			t.Error("the sealed keys are in no file")
		}
		must(t, b.other.InjectTamper(0))
		if got := holding(t, dir, blobs); len(got) != 0 {
			t.Errorf("sealed keys are in %q after a self-destruct", got)
		}
		b.destroyed(locked)
		b.led(5, 0)
		if r := b.boot(); !r.Destroyed || r.LED.Code != 5 {
			t.Errorf("Boot: %+v", r)
		}
		b.destroyed(locked)
		events, err := b.d.PerimeterEvents()
		if err != nil || events[0] == 0 {
			t.Errorf("PerimeterEvents: %v, %v", events, err)
		}
		must(t, b.d.Close())
		again := b.open(filepath.Dir(b.d.rootKey.path()), b.d.options)
		_, err = again.Sign(0, make([]byte, 32))
		b.want("Sign after Open", err, scm.ErrDestroyed)
		must(t, again.Reset())
		_, err = again.Sign(0, make([]byte, 32))
		must(t, err)
		_, err = again.Unlock(locked, scm.OneWayKey)
		b.want("Unlock after Reset", err, scm.ErrAuth)
	}
}

// TestLostKeys starts firmware that loses generated keys.
func TestLostKeys(t *testing.T) {
	for firmware, loses := range map[string]bool{"01.02.02release": true, "01.00.00": false} {
		b := newBench(t, Options{Settings: Settings{Firmware: firmware}})
		k, err := b.d.Generate(scm.P256)
		must(t, err)
		must(t, b.d.GenerateEphemeral(scm.P256))
		foreign, err := b.d.StoreForeign(scm.P256, k.Public)
		must(t, err)
		r := b.boot()
		if got := slices.Equal(r.LostKeys, []scm.Slot{k.Slot}); got != loses {
			t.Errorf("%s: Boot: %+v", firmware, r)
		}
		if _, err := b.other.PublicKey(k.Slot); errors.Is(err, scm.ErrSlotEmpty) != loses {
			t.Errorf("%s: PublicKey: error %v", firmware, err)
		}
		_, err = b.other.PublicKey(scm.EphemeralSlot)
		b.want("ephemeral key", err, scm.ErrSlotEmpty)
		_, err = b.other.ForeignKey(foreign)
		must(t, err)
		b.sign(nil)
	}
}

func TestReset(t *testing.T) {
	b := newBench(t, Options{}).lock()
	info, err := b.d.Info()
	must(t, err)
	before, err := b.d.PublicKey(0)
	must(t, err)
	k, err := b.d.Generate(scm.P256)
	must(t, err)
	must(t, b.d.Prepare([]byte("secret")))
	must(t, b.d.Unseal([]byte("secret")))
	b.reset()
	b.sign(nil)
	after, err := b.other.PublicKey(0)
	if err != nil || bytes.Equal(after.Public, before.Public) {
		t.Errorf("slot 0 holds the same key, %v", err)
	}
	_, err = b.other.PublicKey(k.Slot)
	b.want("PublicKey", err, scm.ErrSlotEmpty)
	if again, err := b.other.Info(); err != nil || again != info {
		t.Errorf("Info: %+v, %v; before %+v", again, err, info)
	}
	b.binding(false)
}

func TestStatus(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{Firmware: "01.02.02release"}})
	k, err := b.d.Generate(scm.P256)
	must(t, err)
	_, err = b.d.StoreForeign(scm.P256, k.Public)
	must(t, err)
	must(t, b.d.SetPerimeterAction(1, board.ActionSelfDestruct))
	must(t, b.d.LockBinding())
	s, err := b.other.Status()
	must(t, err)
	want := Status{
		Model: "Soft SCM", Serial: b.d.serial, Firmware: "01.02.02release",
		Answers: true,
		Status: board.Status{
			Bound: true, Pending: true,
			Battery:     board.BatteryStatus{Volts: 3.1, Threshold: 2.3},
			Temperature: board.TemperatureStatus{Celsius: 40, Low: -10, High: 65},
			Perimeter:   [2]board.ChannelStatus{{Notify: true}, {SelfDestruct: true}},
			Time:        uint32(b.now.Unix()),
			LED:         board.LED{Pattern: "one blink every 3 seconds", Meaning: "working, development mode"},
		},
		Foreign: []scm.Slot{0}, Capacity: 528,
	}
	for slot := range k.Slot + 1 {
		want.Slots = append(want.Slots, slot)
	}
	if s.Time-want.Time <= 1 {
		s.Time = want.Time // the SCM was made by another clock
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}
