// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"
	"time"
)

// darkTime is how long the LED stays off by settings.DefectDarkLED: until the daemon opens
// its next session with the SCM.
const darkTime = time.Minute

// light is what the LED was told to do.
type light struct {
	Dark  time.Time // it is off until then
	Told  *flashing // by the host; nil when it shows the state of the SCM
	Fatal fatal     // the latest fatal code, the zero value when there was none
}

type flashing struct {
	On, Off time.Duration
	Flashes uint32 // 0 = forever
	Since   time.Time
}

// fatal is a code that the LED tells three times when the SCM gives up.
type fatal struct {
	Code, Sub int
	At        time.Time
}

func (l *light) showFatal(f fatal, now time.Time) {
	f.At = now
	l.Fatal = f
}

// duration is how long the LED tells the code: three times ten quick flashes, a
// pause, the code in flashes of half a second, and perhaps the same with the
// subcode.
func (f fatal) duration() time.Duration {
	once := time.Second + time.Second + time.Duration(f.Code)*time.Second
	if f.Sub != 0 {
		once += time.Second + time.Duration(f.Sub)*time.Second
	}
	return 3 * once
}

// LED is what the LED shows and what that means.
type LED struct {
	Pattern string
	Code    int // of a fatal error, 0 otherwise
	Sub     int // its subcode, 0 when there is none
	Meaning string
}

// LEDMeaning tells what a fatal code of the LED means, with sub 0 for a code
// without a subcode, and reports whether the code is known.
func LEDMeaning(code, sub int) (meaning string, ok bool) {
	for _, m := range fatalCodes {
		if m.code == code && m.sub == sub {
			return m.meaning, true
		}
	}
	return "", false
}

var fatalCodes = []struct {
	code, sub int
	meaning   string
}{
	{4, 1, "battery below its threshold, with the action self-destruct, in development mode"},
	{4, 2, "supervised boot: the signature of at least one file is wrong"},
	{5, 0, "secure element does not match: usually the keys were erased by a self-destruct"},
	{6, 0, "key storage is damaged: a breach, a battery below its threshold with the action self-destruct, or a hardware failure"},
	{6, 1, "breach of perimeter channel 0, with the action self-destruct, in development mode"},
	{6, 2, "breach of perimeter channel 1, with the action self-destruct, in development mode"},
	{6, 3, "breach of both perimeter channels, with the action self-destruct, in development mode"},
	{8, 0, "host does not take answers: its processor may be overloaded"},
	{20, 1, "temperature below its threshold, with the action self-destruct"},
	{20, 2, "temperature above its threshold, with the action self-destruct"},
	{22, 9, "supervised boot: failure in the process itself"},
}

// SetLED makes the LED flash for the times given: on for good when off is 0, off
// for good when on is 0, for ever when flashes is 0. Afterwards it shows the
// state of the SCM again.
func (b *Board) SetLED(on, off time.Duration, flashes uint32) error {
	return b.changeByHost(func(c *Condition) error {
		c.Light.Told = &flashing{on, off, flashes, b.now()}
		return nil
	})
}

// LED returns what the LED shows, which it does whether the SCM answers or not.
func (b *Board) LED() (LED, error) {
	c, err := b.memory.Latest()
	if err != nil {
		return LED{}, err
	}
	return c.visibleLED(b.now()), nil
}

// visibleLED is what the LED shows; what comes first wins.
func (c *Condition) visibleLED(now time.Time) LED {
	f := c.Light.Fatal
	if f.Code != 0 && (c.Destroyed || now.Before(f.At.Add(f.duration()))) {
		meaning, _ := LEDMeaning(f.Code, f.Sub)
		return LED{fmt.Sprintf("fatal code %s, three times", f), f.Code, f.Sub, meaning}
	}
	switch {
	case c.Binding.Unbound && c.Binding.Locked:
		return LED{Pattern: "rapid blinking, then off", Meaning: "production mode, and this is not the host"}
	case c.Boot.Held || c.Battery.Asleep:
		return LED{Pattern: "off", Meaning: c.absence()}
	case c.Binding.Unbound || now.Before(c.Link.Ready):
		return LED{Pattern: "rapid blinking", Meaning: "waiting for the host"}
	case now.Before(c.Light.Dark):
		return LED{Pattern: "off", Meaning: "off after a change of perimeter actions"}
	}
	if told := c.Light.Told; told != nil && !told.hasEnded(now) {
		return LED{Pattern: told.pattern(), Meaning: "set by the host"}
	}
	if c.Binding.Locked {
		return LED{Pattern: "three rapid blinks every 3 seconds", Meaning: "working, production mode"}
	}
	return LED{Pattern: "one blink every 3 seconds", Meaning: "working, development mode"}
}

func (f fatal) String() string {
	if f.Sub == 0 {
		return fmt.Sprint(f.Code)
	}
	return fmt.Sprintf("%d-%d", f.Code, f.Sub)
}

func (f *flashing) hasEnded(now time.Time) bool {
	// In seconds: the longest time that a host can ask for is too long for a Duration.
	total := float64(f.Flashes) * (f.On + f.Off).Seconds()
	return f.Flashes != 0 && now.Sub(f.Since).Seconds() >= total
}

func (f *flashing) pattern() string {
	switch {
	case f.On == 0:
		return "off"
	case f.Off == 0:
		return "on"
	}
	return fmt.Sprintf("%v on, %v off", f.On, f.Off)
}
