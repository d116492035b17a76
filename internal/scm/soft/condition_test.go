// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// bench is a soft SCM with a clock of its own, and a second one on the same flash
// as in another process.
type bench struct {
	t        *testing.T
	d, other *Device
	now      time.Time
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	o.Group = -1
	if o.Host == "" {
		o.Host = "this host"
	}
	dir := t.TempDir()
	b.d, b.other = b.open(dir, o), b.open(dir, o)
	return b
}

func (b *bench) open(dir string, o Options) *Device {
	b.t.Helper()
	d, err := Open(dir, o)
	must(b.t, err)
	b.t.Cleanup(func() { d.Close() })
	d.clock = func() time.Time { return b.now }
	return d
}

// reset makes the SCM one that was made by the clock of the bench.
func (b *bench) reset() *bench {
	b.t.Helper()
	must(b.t, b.d.Reset())
	return b
}

// boot starts the SCM.
func (b *bench) boot() BootReport {
	b.t.Helper()
	r, err := b.d.Boot()
	must(b.t, err)
	return r
}

// lock brings the SCM into production mode.
func (b *bench) lock() *bench {
	b.t.Helper()
	must(b.t, b.d.LockBinding())
	b.boot()
	return b
}

func (b *bench) want(what string, err, want error) {
	b.t.Helper()
	if !errors.Is(err, want) {
		b.t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// sign signs with both devices.
func (b *bench) sign(want error) {
	b.t.Helper()
	for _, d := range []*Device{b.d, b.other} {
		_, err := d.Sign(0, make([]byte, 32))
		b.want("Sign", err, want)
	}
}

func (b *bench) led(code, sub int) {
	b.t.Helper()
	led, err := b.other.LED()
	must(b.t, err)
	if led.Code != code || led.Sub != sub || led.Pattern == "" || led.Meaning == "" {
		b.t.Errorf("LED: %+v, want code %d-%d", led, code, sub)
	}
}

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
		"SetBatteryAction":         b.d.SetBatteryAction(ThresholdNone),
		"SetBatteryThreshold":      b.d.SetBatteryThreshold(2),
		"SetTemperatureAction":     b.d.SetTemperatureAction(ThresholdNone),
		"SetTemperatureThresholds": b.d.SetTemperatureThresholds(nil, nil),
	} {
		b.want(name, err, scm.ErrFixed)
	}
	must(t, b.d.SetPerimeterAction(0, ActionNotify))
	b.want("second SetPerimeterAction", b.d.SetPerimeterAction(0, 0), scm.ErrFixed)
	must(t, b.d.SetPerimeterAction(1, 0))
}

func (b *bench) binding(production bool) {
	b.t.Helper()
	locked, bound, err := b.other.Binding()
	if err != nil || locked != production || !bound {
		b.t.Errorf("Binding = %v, %v, %v; want %v", locked, bound, err, production)
	}
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
	b.sign(nil)
}

func TestUnbind(t *testing.T) {
	b := newBench(t, Options{})
	b.sign(nil)
	before := b.other.Version()
	must(t, b.d.InjectUnbind(true))
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
	must(t, b.d.InjectUnbind(false))
	b.sign(nil)
}

// destroyed checks that nothing is left of the SCM's keys.
func (b *bench) destroyed(locked []byte) {
	b.t.Helper()
	b.sign(scm.ErrDestroyed)
	for name, call := range map[string]func() error{
		"Keys":      func() error { _, err := b.other.Keys(); return err },
		"PublicKey": func() error { _, err := b.other.PublicKey(0); return err },
		"Generate":  func() error { _, err := b.other.Generate(scm.P256); return err },
		"Agree":     func() error { _, err := b.d.Agree(0, make([]byte, 64)); return err },
		"Lock":      func() error { _, err := b.d.Lock(nil, false); return err },
		"Unlock":    func() error { _, err := b.other.Unlock(locked, false); return err },
		"Foreign":   func() error { _, err := b.d.Foreign(); return err },
		"Prepare":   func() error { return b.d.Prepare([]byte("secret")) },
		"Unseal":    func() error { return b.other.Unseal([]byte("secret")) },
		"Volatile":  func() error { _, err := b.d.GenerateVolatile(scm.P256); return err },
	} {
		b.want(name, call(), scm.ErrDestroyed)
	}
	_, err := b.other.Info()
	must(b.t, err)
	if _, err := os.Stat(b.d.rootKey.path()); !errors.Is(err, os.ErrNotExist) {
		b.t.Errorf("root key file: %v", err)
	}
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
		locked, err := b.d.Lock([]byte("data"), false)
		must(t, err)
		must(t, b.d.SetPerimeterAction(0, ActionSelfDestruct|ActionNotify))
		must(t, b.other.InjectTamper(0))
		b.sign(nil)
		b.led(6, 1)
		must(t, b.d.ClearPerimeter())
		b.lock()
		must(t, b.other.InjectTamper(1))
		b.sign(nil)
		must(t, b.other.InjectTamper(0))
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
		_, err = again.Unlock(locked, false)
		b.want("Unlock after Reset", err, scm.ErrAuth)
	}
}

func TestPerimeter(t *testing.T) {
	b := newBench(t, Options{})
	b.want("WaitPerimeter", b.d.WaitPerimeter(0), scm.ErrTimeout)
	must(t, b.d.SetPerimeterAction(1, 0))
	must(t, b.d.InjectTamper(1))
	b.want("WaitPerimeter without notification", b.d.WaitPerimeter(10*time.Millisecond), scm.ErrTimeout)
	done := make(chan error)
	go func() { done <- b.other.WaitPerimeter(time.Minute) }()
	first := uint32(b.now.Unix())
	must(t, b.d.InjectTamper(0))
	must(t, <-done)
	must(t, b.other.WaitPerimeter(0))
	b.now = b.now.Add(time.Hour)
	must(t, b.d.InjectTamper(0))
	if events, err := b.other.PerimeterEvents(); err != nil || events[0]-first > 1 {
		t.Errorf("PerimeterEvents: %v, %v; want %d", events, err, first)
	}
	must(t, b.d.ClearPerimeter())
	if events, err := b.other.PerimeterEvents(); err != nil || events != [2]uint32{} {
		t.Errorf("PerimeterEvents after ClearPerimeter: %v, %v", events, err)
	}
}

// TestBreachedBoth checks the subcode of both channels together.
func TestBreachedBoth(t *testing.T) {
	b := newBench(t, Options{})
	for ch := range PerimeterChannels {
		must(t, b.d.SetPerimeterAction(ch, ActionSelfDestruct))
		must(t, b.d.InjectTamper(ch))
	}
	b.led(6, 3)
	b.now = b.now.Add(time.Hour)
	b.led(0, 0)
}

func TestRefused(t *testing.T) {
	b := newBench(t, Options{})
	nan, inf, hot := float32(math.NaN()), float32(math.Inf(1)), float32(70)
	for name, err := range map[string]error{
		"perimeter channel":    b.d.SetPerimeterAction(2, 0),
		"negative channel":     b.d.SetPerimeterAction(-1, 0),
		"perimeter actions":    b.d.SetPerimeterAction(0, 4),
		"tampered channel":     b.d.InjectTamper(2),
		"no period":            b.d.SetPerimeterLowPower(0, 1),
		"negative bits":        b.d.SetPerimeterLowPower(-1, -2),
		"negative delay":       b.d.SetPerimeterDelays(-1, 1),
		"delays":               b.d.SetPerimeterDelays(2, 1),
		"battery action":       b.d.SetBatteryAction(3),
		"battery threshold":    b.d.SetBatteryThreshold(2.5),
		"battery window":       b.d.SetBatteryThreshold(2.9),
		"battery NaN":          b.d.SetBatteryThreshold(nan),
		"negative threshold":   b.d.SetBatteryThreshold(-1),
		"injected battery":     b.d.InjectBattery(inf),
		"temperature sleep":    b.d.SetTemperatureAction(ThresholdSleep),
		"temperature NaN":      b.d.SetTemperatureThresholds(&nan, nil),
		"temperature bounds":   b.d.SetTemperatureThresholds(&hot, nil),
		"injected temperature": b.d.InjectTemperature(nan),
		"I²C address":          b.d.SetI2CAddress(0x38),
		"tap axis":             b.d.SetTapSensitivity(4, 1),
		"tap sensitivity":      b.d.SetTapSensitivity(0, 101),
		"tap NaN":              b.d.SetTapSensitivity(0, nan),
		"injected axis":        b.d.InjectTap(3, 1),
		"injected direction":   b.d.InjectTap(0, 0),
		"boot policy":          b.d.SetBootPolicy(3),
		"fault":                b.d.InjectFault(Fault{Timeouts: -1}),
	} {
		b.want(name, err, scm.ErrInput)
	}
	_, err := b.d.AuxTemperature(2)
	b.want("AuxTemperature", err, scm.ErrInput)
	b.want("SetI2CAddress", b.d.SetI2CAddress(0x30), scm.ErrAbility)
	must(t, b.d.SetPerimeterLowPower(-1, 5))
	must(t, b.d.SetPerimeterLowPower(7, -1))
	must(t, b.d.SetPerimeterDelays(3, 4))
	c, err := b.other.look()
	if p := c.Perimeter; err != nil || p.Period != 7 || p.MaxBits != 5 || p.MinDelay != 3 || p.MaxDelay != 4 {
		t.Errorf("perimeter: %+v, %v", p, err)
	}
}

func TestBattery(t *testing.T) {
	for _, test := range []struct {
		name             string
		action           int
		production       bool
		destroyed        bool
		silent           error
		code, sub        int
		afterReplacement error
	}{
		{name: "none", action: ThresholdNone},
		{name: "none in production", action: ThresholdNone, production: true},
		{name: "sleep", action: ThresholdSleep, silent: scm.ErrAbsent},
		{name: "self-destruct", action: ThresholdSelfDestruct, code: 4, sub: 1},
		{name: "self-destruct in production", action: ThresholdSelfDestruct, production: true,
			silent: scm.ErrDestroyed, code: 6, afterReplacement: scm.ErrDestroyed},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, Options{})
			must(t, b.d.SetBatteryAction(test.action))
			must(t, b.d.SetBatteryThreshold(2.4))
			if test.production {
				b.lock()
			}
			must(t, b.d.InjectBattery(2.3))
			if v, err := b.other.BatteryVoltage(); err != nil || v != 2.3 {
				t.Errorf("BatteryVoltage = %v, %v", v, err)
			}
			b.sign(nil)
			b.boot()
			b.sign(test.silent)
			b.led(test.code, test.sub)
			must(t, b.d.InjectBattery(3))
			b.boot()
			b.sign(test.afterReplacement)
		})
	}
}

func TestBatteryWindow(t *testing.T) {
	b := newBench(t, Options{Defects: []string{DefectBatteryWindow}})
	must(t, b.d.SetBatteryThreshold(2.9))
	b.want("SetBatteryThreshold", b.d.SetBatteryThreshold(3), scm.ErrInput)
}

func TestTemperature(t *testing.T) {
	for _, test := range []struct {
		name       string
		options    Options
		celsius    float32
		action     int
		production bool
		silent     error
		code, sub  int
	}{
		{name: "within", celsius: 60, action: ThresholdSelfDestruct},
		{name: "no action", celsius: 80, production: true},
		{name: "cold", celsius: -20, action: ThresholdSelfDestruct, code: 20, sub: 1},
		{name: "hot", celsius: 80, action: ThresholdSelfDestruct, code: 20, sub: 2},
		{name: "hot in production", celsius: 80, action: ThresholdSelfDestruct, production: true,
			silent: scm.ErrDestroyed, code: 6},
		{name: "hot in production, held", celsius: 80, action: ThresholdSelfDestruct, production: true,
			options: Options{TemperatureFailure: FailureHold}, silent: scm.ErrAbsent, code: 20, sub: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, test.options)
			must(t, b.d.SetTemperatureAction(test.action))
			if test.production {
				b.lock()
			}
			must(t, b.other.InjectTemperature(test.celsius))
			b.sign(test.silent)
			b.led(test.code, test.sub)
			if r := b.boot(); r.Destroyed != (test.silent == scm.ErrDestroyed) || r.Held != (test.silent == scm.ErrAbsent) {
				t.Errorf("Boot: %+v", r)
			}
			must(t, b.d.InjectTemperature(25))
			if r := b.boot(); r.Held {
				t.Errorf("Boot at 25 °C: %+v", r)
			}
		})
	}
}

func TestTemperatureThresholds(t *testing.T) {
	b := newBench(t, Options{})
	low, high := float32(45), float32(50)
	must(t, b.d.SetTemperatureThresholds(nil, &high))
	must(t, b.d.SetTemperatureThresholds(&low, nil))
	must(t, b.d.SetTemperatureAction(ThresholdSelfDestruct))
	b.boot()
	b.led(20, 1)
	for _, index := range []int{0, 1} {
		if v, err := b.other.AuxTemperature(index); err != nil || v != 40 {
			t.Errorf("AuxTemperature(%d) = %v, %v", index, v, err)
		}
	}
}

func TestClock(t *testing.T) {
	b := newBench(t, Options{Drift: 1000}).reset()
	start := b.now.Unix()
	b.now = b.now.Add(1000 * time.Second)
	if got, err := b.d.Time(false); err != nil || int64(got) != start+1001 {
		t.Errorf("Time = %d, %v; want %d", got, err, start+1001)
	}
	if drift, err := b.d.RTCDrift(); err != nil || drift != 1000 {
		t.Errorf("RTCDrift = %v, %v", drift, err)
	}
	d := openTest(t, t.TempDir())
	seconds, err := d.Time(true)
	must(t, err)
	if now := time.Now(); now.Unix() < int64(seconds) || now.Nanosecond() > 9e8 && now.Unix() == int64(seconds) {
		t.Errorf("Time(true) = %d at %v", seconds, now)
	}
}

func TestSettle(t *testing.T) {
	b := newBench(t, Options{Settle: 10 * time.Second})
	must(t, b.d.SetPerimeterAction(0, 0))
	b.sign(scm.ErrTimeout)
	b.now = b.now.Add(11 * time.Second)
	b.sign(nil)
	b.sign(nil)
}

func TestBootDelay(t *testing.T) {
	b := newBench(t, Options{BootDelay: 90 * time.Second, Defects: []string{DefectFirstCall}})
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
	must(t, b.d.InjectFault(Fault{Timeouts: 3}))
	_, err := b.other.Keys()
	b.want("Keys", err, scm.ErrTimeout)
	b.sign(scm.ErrTimeout)
	b.sign(nil)
	must(t, b.d.InjectFault(Fault{Timeouts: 1000}))
	b.sign(scm.ErrTimeout)
	must(t, b.d.InjectFault(Fault{}))
	b.sign(nil)
	must(t, b.d.InjectFault(Fault{Restart: true}))
	b.sign(scm.ErrAbsent)
	b.sign(scm.ErrAbsent)
	must(t, b.d.Reconnect())
	must(t, b.other.Reconnect())
	b.sign(nil)
}

func TestHugeSlot(t *testing.T) {
	for name, make := range map[string]func() *bench{
		"fault": func() *bench {
			b := newBench(t, Options{})
			must(t, b.d.InjectFault(Fault{HugeSlot: true}))
			return b
		},
		"firmware": func() *bench { return newBench(t, Options{Firmware: "00.00.51beta"}) },
	} {
		for what, call := range map[string]func(*Device) error{
			"PublicKey":     func(d *Device) error { _, err := d.PublicKey(99999); return err },
			"Sign":          func(d *Device) error { _, err := d.Sign(99999, nil); return err },
			"ForeignKey":    func(d *Device) error { _, err := d.ForeignKey(99999); return err },
			"RemoveForeign": func(d *Device) error { return d.RemoveForeign(99999) },
			"Verify":        func(d *Device) error { _, err := d.Verify(99999, true, nil, nil); return err },
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

// TestLostKeys starts firmware that loses generated keys.
func TestLostKeys(t *testing.T) {
	for firmware, loses := range map[string]bool{"01.02.02release": true, "01.00.00": false} {
		b := newBench(t, Options{Firmware: firmware})
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

func TestLED(t *testing.T) {
	b := newBench(t, Options{Defects: []string{DefectDarkLED}})
	check := func(want string) {
		t.Helper()
		if led, err := b.other.LED(); err != nil || led.Pattern != want {
			t.Errorf("LED: %+v, %v; want %q", led, err, want)
		}
	}
	check("one blink every 3 seconds")
	must(t, b.d.SetLED(time.Second, 0, 0))
	check("on")
	must(t, b.d.SetLED(0, time.Second, 0))
	check("off")
	must(t, b.d.SetLED(time.Second, 500*time.Millisecond, 4))
	check("1s on, 500ms off")
	b.now = b.now.Add(6 * time.Second)
	check("one blink every 3 seconds")
	must(t, b.d.SetPerimeterAction(0, 0))
	check("off")
	b.now = b.now.Add(time.Minute)
	b.lock()
	check("three rapid blinks every 3 seconds")
}

func TestLEDMeaning(t *testing.T) {
	for _, m := range fatalCodes {
		if got, ok := LEDMeaning(m.code, m.sub); !ok || got != m.meaning {
			t.Errorf("LEDMeaning(%d, %d) = %q, %v", m.code, m.sub, got, ok)
		}
	}
	if got, ok := LEDMeaning(7, 0); ok || got != "" {
		t.Errorf("LEDMeaning of no code = %q", got)
	}
}

func TestMotion(t *testing.T) {
	b := newBench(t, Options{})
	b.want("WaitTap", b.d.WaitTap(0), scm.ErrTimeout)
	must(t, b.d.SetTapSensitivity(1, 0))
	must(t, b.d.InjectTap(1, 1))
	a, err := b.other.Accelerometer()
	if err != nil || a != [3]Acceleration{{}, {}, {G: 1}} {
		t.Errorf("Accelerometer: %v, %v", a, err)
	}
	must(t, b.d.SetTapSensitivity(AxisAll, 80))
	must(t, b.d.InjectTap(1, -1))
	if a, err = b.other.Accelerometer(); err != nil || a != [3]Acceleration{{}, {Tap: -1}, {G: 1}} {
		t.Errorf("Accelerometer: %v, %v", a, err)
	}
	done := make(chan error)
	go func() { done <- b.other.WaitTap(time.Minute) }()
	for waiting := true; waiting; { // until a tap comes after the wait began
		select {
		case err := <-done:
			must(t, err)
			waiting = false
		case <-time.After(pollPause): // the lock of the flash is not fair
			must(t, b.d.InjectTap(0, 1))
		}
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
	b := newBench(t, Options{Firmware: "01.02.02release"})
	k, err := b.d.Generate(scm.P256)
	must(t, err)
	_, err = b.d.StoreForeign(scm.P256, k.Public)
	must(t, err)
	must(t, b.d.SetPerimeterAction(1, ActionSelfDestruct))
	must(t, b.d.LockBinding())
	s, err := b.other.Status()
	must(t, err)
	want := Status{
		Model: "Soft SCM", Serial: b.d.serial, Firmware: "01.02.02release",
		Answers: true, Bound: true, Pending: true,
		Battery:     BatteryStatus{Volts: 3.1, Threshold: 2.3},
		Temperature: TemperatureStatus{Celsius: 40, Low: -10, High: 65},
		Perimeter:   [2]ChannelStatus{{Notify: true}, {SelfDestruct: true}},
		Time:        uint32(b.now.Unix()),
		LED:         LED{Pattern: "one blink every 3 seconds", Meaning: "working, development mode"},
		Foreign:     []scm.Slot{0}, Capacity: 528,
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
