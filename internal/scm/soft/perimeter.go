// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// PerimeterChannels is how many perimeter circuits an SCM watches.
const PerimeterChannels = 2

// What an SCM does when a perimeter circuit is breached; the numbers are the
// vendor's.
const (
	ActionNotify       uint32 = 1 << 0 // WaitPerimeter returns
	ActionSelfDestruct uint32 = 1 << 1
)

// perimeter is the state of the perimeter circuits.
type perimeter struct {
	Channels           [PerimeterChannels]channel
	Period, MaxBits    int // of low power mode: µs, bits
	MinDelay, MaxDelay int // ns
}

type channel struct {
	Actions uint32
	Event   uint32 // when it was breached first since the last clear, in s; 0 = never
	Fixed   bool   // the actions have been set in production mode
}

func factoryPerimeter() perimeter {
	p := perimeter{Period: 1_000_000, MaxBits: 32, MinDelay: 0, MaxDelay: 100_000}
	for i := range p.Channels {
		p.Channels[i].Actions = ActionNotify
	}
	return p
}

// SetPerimeterAction says what a breach of a channel does. The SCM needs some
// time after it, in which calls answer ErrTimeout, by Options.Settle. In
// production mode the actions of a channel can be set once: ErrFixed.
func (d *Device) SetPerimeterAction(number int, flags uint32) error {
	if flags&^(ActionNotify|ActionSelfDestruct) != 0 {
		return fmt.Errorf("perimeter actions %#x: %w", flags, scm.ErrInput)
	}
	return d.set(func(c *condition) error {
		ch, err := c.Perimeter.channel(number)
		if err != nil {
			return err
		}
		if ch.Fixed {
			return fmt.Errorf("actions of perimeter channel %d: %w", number, scm.ErrFixed)
		}
		ch.Actions, ch.Fixed = flags, c.Binding.Locked
		now := d.clock()
		c.Link.Settled = now.Add(d.settle())
		if d.options.Has(settings.DefectDarkLED) {
			c.Light.Dark = now.Add(darkTime)
		}
		return nil
	})
}

// slowSettle is how long calls time out by settings.DefectSlowSettle.
const slowSettle = 10 * time.Second

func (d *Device) settle() time.Duration {
	if d.options.Has(settings.DefectSlowSettle) {
		return max(d.options.Settle, slowSettle)
	}
	return d.options.Settle
}

func (p *perimeter) channel(number int) (*channel, error) {
	if number < 0 || number >= PerimeterChannels {
		return nil, fmt.Errorf("perimeter channel %d: %w", number, scm.ErrInput)
	}
	return &p.Channels[number], nil
}

// SetPerimeterLowPower says how often (in µs) and how closely (in bits) the
// circuits are watched on battery power; -1 leaves a value as it is.
func (d *Device) SetPerimeterLowPower(period, maxBits int) error {
	if period < -1 || period == 0 || maxBits < -1 || maxBits == 0 {
		return fmt.Errorf("low power period %d, %d bits: %w", period, maxBits, scm.ErrInput)
	}
	return d.set(func(c *condition) error {
		if period > 0 {
			c.Perimeter.Period = period
		}
		if maxBits > 0 {
			c.Perimeter.MaxBits = maxBits
		}
		return nil
	})
}

// SetPerimeterDelays says in which time, in ns, a signal has to come around.
func (d *Device) SetPerimeterDelays(minNS, maxNS int) error {
	if minNS < 0 || maxNS < minNS {
		return fmt.Errorf("perimeter delays %d to %d: %w", minNS, maxNS, scm.ErrInput)
	}
	return d.set(func(c *condition) error {
		c.Perimeter.MinDelay, c.Perimeter.MaxDelay = minNS, maxNS
		return nil
	})
}

// PerimeterEvents returns when each channel was breached for the first time since
// ClearPerimeter, in seconds since 1970, 0 for a channel that was not.
func (d *Device) PerimeterEvents() (times [PerimeterChannels]uint32, err error) {
	s, err := d.answering()
	if err != nil {
		return times, err
	}
	for i, ch := range s.condition.Perimeter.Channels {
		times[i] = ch.Event
	}
	return times, nil
}

// ClearPerimeter forgets all breaches, so that new ones are noted.
func (d *Device) ClearPerimeter() error {
	return d.set(func(c *condition) error {
		for i := range c.Perimeter.Channels {
			c.Perimeter.Channels[i].Event = 0
		}
		return nil
	})
}

// WaitPerimeter returns when there is a breach of a channel that notifies, at
// once when there has been one since ClearPerimeter. ErrTimeout.
func (d *Device) WaitPerimeter(timeout time.Duration) error {
	return d.await(timeout, func(c *condition) bool {
		for _, ch := range c.Perimeter.Channels {
			if ch.Actions&ActionNotify != 0 && ch.Event != 0 {
				return true
			}
		}
		return false
	})
}

// InjectTamper breaches a perimeter channel.
func (d *Device) InjectTamper(number int) error {
	return d.change(func(tx *sql.Tx, c *condition) error {
		ch, err := c.Perimeter.channel(number)
		if err != nil {
			return err
		}
		if ch.Event == 0 {
			ch.Event = d.eventTime(c)
		}
		if ch.Actions&ActionSelfDestruct == 0 || c.Destroyed {
			return nil
		}
		return d.selfDestruct(tx, c, fatal{Code: 6, Sub: c.Perimeter.breached()}, fatal{Code: 5})
	})
}

// eventTime is the time that is noted for a breach: of an SCM that is off, which it is
// until it answers after Boot, early firmware notes another.
func (d *Device) eventTime(c *condition) uint32 {
	if d.options.Has(settings.DefectWrongTime) && d.clock().Before(c.Link.Ready) {
		return 1
	}
	return d.seconds(c)
}

// breached is the subcode of all breached channels together.
func (p *perimeter) breached() (code int) {
	for i, ch := range p.Channels {
		if ch.Event != 0 {
			code |= 1 << i
		}
	}
	return code
}
