// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"math"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

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

// TestWrongTime breaches the perimeter while the SCM is off.
func TestWrongTime(t *testing.T) {
	for _, firmware := range []string{"01.00.00", "00.00.51beta"} {
		b := newBench(t, Options{Settings: Settings{Firmware: firmware, BootDelay: time.Minute}}).reset()
		b.boot()
		must(t, b.d.InjectTamper(0))
		want := uint32(b.now.Unix())
		b.now = b.now.Add(2 * time.Minute)
		must(t, b.d.InjectTamper(1))
		must(t, b.d.InjectFault(board.Fault{})) // the first call of this firmware fails
		events, err := b.other.PerimeterEvents()
		if right := events[0] == want; err != nil || right != (firmware == "01.00.00") || events[0] == 0 || events[1] != want+120 {
			t.Errorf("%s: PerimeterEvents: %v, %v; want %d and %d", firmware, events, err, want, want+120)
		}
	}
}

// TestBreachedBoth checks the subcode of both channels together.
func TestBreachedBoth(t *testing.T) {
	b := newBench(t, Options{})
	for ch := range board.PerimeterChannels {
		must(t, b.d.SetPerimeterAction(ch, board.ActionSelfDestruct))
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
		"temperature sleep":    b.d.SetTemperatureAction(board.ThresholdSleep),
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
		"fault":                b.d.InjectFault(board.Fault{Timeouts: -1}),
	} {
		b.want(name, err, scm.ErrInput)
	}
	_, err := b.d.AuxTemperature(2)
	b.want("AuxTemperature", err, scm.ErrInput)
	b.want("SetI2CAddress", b.d.SetI2CAddress(0x30), scm.ErrAbility)
	must(t, b.d.SetPerimeterLowPower(-1, 5))
	must(t, b.d.SetPerimeterLowPower(7, -1))
	must(t, b.d.SetPerimeterDelays(3, 4))
	c, err := memory{b.other}.Latest()
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
		{name: "none", action: board.ThresholdNone},
		{name: "none in production", action: board.ThresholdNone, production: true},
		{name: "sleep", action: board.ThresholdSleep, silent: scm.ErrAbsent},
		{name: "self-destruct", action: board.ThresholdSelfDestruct, code: 4, sub: 1},
		{name: "self-destruct in production", action: board.ThresholdSelfDestruct, production: true,
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
	b := newBench(t, Options{Settings: Settings{Defects: []string{settings.DefectBatteryWindow}}})
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
		{name: "within", celsius: 60, action: board.ThresholdSelfDestruct},
		{name: "no action", celsius: 80, production: true},
		{name: "cold", celsius: -20, action: board.ThresholdSelfDestruct, code: 20, sub: 1},
		{name: "hot", celsius: 80, action: board.ThresholdSelfDestruct, code: 20, sub: 2},
		{name: "hot in production", celsius: 80, action: board.ThresholdSelfDestruct, production: true,
			silent: scm.ErrDestroyed, code: 6},
		{name: "hot in production, held", celsius: 80, action: board.ThresholdSelfDestruct, production: true,
			options: Options{Settings: Settings{TemperatureFailure: settings.FailureHold}}, silent: scm.ErrAbsent, code: 20, sub: 2},
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
	must(t, b.d.SetTemperatureAction(board.ThresholdSelfDestruct))
	b.boot()
	b.led(20, 1)
	for _, index := range []int{0, 1} {
		if v, err := b.other.AuxTemperature(index); err != nil || v != 40 {
			t.Errorf("AuxTemperature(%d) = %v, %v", index, v, err)
		}
	}
}

func TestClock(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{Drift: 1000}}).reset()
	start := b.now.Unix()
	b.now = b.now.Add(1000 * time.Second)
	if got, err := b.d.Time(); err != nil || int64(got) != start+1001 {
		t.Errorf("Time = %d, %v; want %d", got, err, start+1001)
	}
	if drift, err := b.d.RTCDrift(); err != nil || drift != 1000 {
		t.Errorf("RTCDrift = %v, %v", drift, err)
	}
	d := openTest(t, t.TempDir())
	seconds, err := d.NextSecond()
	must(t, err)
	if now := time.Now(); now.Unix() < int64(seconds) || now.Nanosecond() > 9e8 && now.Unix() == int64(seconds) {
		t.Errorf("Time(true) = %d at %v", seconds, now)
	}
}

func TestLED(t *testing.T) {
	b := newBench(t, Options{Settings: Settings{Defects: []string{settings.DefectDarkLED}}})
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
	const longest = math.MaxUint32 * time.Millisecond
	must(t, b.d.SetLED(longest, longest, math.MaxUint32))
	b.now = b.now.Add(longest)
	check("1193h2m47.295s on, 1193h2m47.295s off")
	must(t, b.d.SetLED(1, 1, 1))
	must(t, b.d.SetPerimeterAction(0, 0))
	check("off")
	b.now = b.now.Add(time.Minute)
	b.lock()
	check("three rapid blinks every 3 seconds")
}

func TestMotion(t *testing.T) {
	b := newBench(t, Options{})
	b.want("WaitTap", b.d.WaitTap(0), scm.ErrTimeout)
	must(t, b.d.SetTapSensitivity(1, 0))
	must(t, b.d.InjectTap(1, 1))
	a, err := b.other.Accelerometer()
	if err != nil || a != [3]board.Acceleration{{}, {}, {G: 1}} {
		t.Errorf("Accelerometer: %v, %v", a, err)
	}
	must(t, b.d.SetTapSensitivity(board.AxisAll, 80))
	must(t, b.d.InjectTap(1, -1))
	if a, err = b.other.Accelerometer(); err != nil || a != [3]board.Acceleration{{}, {Tap: -1}, {G: 1}} {
		t.Errorf("Accelerometer: %v, %v", a, err)
	}
	done := make(chan error)
	go func() { done <- b.other.WaitTap(time.Minute) }()
	for waiting := true; waiting; { // until a tap comes after the wait began
		select {
		case err := <-done:
			must(t, err)
			waiting = false
		case <-time.After(5 * time.Millisecond): // the lock of the flash is not fair
			must(t, b.d.InjectTap(0, 1))
		}
	}
}
