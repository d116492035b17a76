// SPDX-License-Identifier: Apache-2.0

package board

import (
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
// time after it, in which calls return ErrTimeout, by Settings.Settle. In
// production mode the actions of a channel can be set once: ErrFixed.
func (b *Board) SetPerimeterAction(number int, flags uint32) error {
	if flags&^(ActionNotify|ActionSelfDestruct) != 0 {
		return fmt.Errorf("perimeter actions %#x: %w", flags, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		ch, err := c.Perimeter.channel(number)
		if err != nil {
			return err
		}
		if ch.Fixed {
			return fmt.Errorf("actions of perimeter channel %d: %w", number, scm.ErrFixed)
		}
		ch.Actions, ch.Fixed = flags, c.Binding.Locked
		now := b.now()
		c.Link.Settled = now.Add(b.settle())
		if b.settings().Has(settings.DefectDarkLED) {
			c.Light.Dark = now.Add(darkTime)
		}
		return nil
	})
}

// slowSettle is how long calls time out by settings.DefectSlowSettle.
const slowSettle = 10 * time.Second

func (b *Board) settle() time.Duration {
	if b.settings().Has(settings.DefectSlowSettle) {
		return max(b.settings().Settle, slowSettle)
	}
	return b.settings().Settle
}

func (p *perimeter) channel(number int) (*channel, error) {
	if number < 0 || number >= PerimeterChannels {
		return nil, fmt.Errorf("perimeter channel %d: %w", number, scm.ErrInput)
	}
	return &p.Channels[number], nil
}

// SetPerimeterLowPower says how often (in µs) and how closely (in bits) the
// circuits are watched on battery power; -1 leaves a value as it is.
func (b *Board) SetPerimeterLowPower(period, maxBits int) error {
	if period < -1 || period == 0 || maxBits < -1 || maxBits == 0 {
		return fmt.Errorf("low power period %d, %d bits: %w", period, maxBits, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
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
func (b *Board) SetPerimeterDelays(minNS, maxNS int) error {
	if minNS < 0 || maxNS < minNS {
		return fmt.Errorf("perimeter delays %d to %d: %w", minNS, maxNS, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		c.Perimeter.MinDelay, c.Perimeter.MaxDelay = minNS, maxNS
		return nil
	})
}

// PerimeterEvents returns when each channel was breached for the first time since
// ClearPerimeter, in seconds since 1970, 0 for a channel that was not.
func (b *Board) PerimeterEvents() (times [PerimeterChannels]uint32, err error) {
	c, err := b.memory.Answering()
	if err != nil {
		return times, err
	}
	for i, ch := range c.Perimeter.Channels {
		times[i] = ch.Event
	}
	return times, nil
}

// ClearPerimeter forgets all breaches, so that new ones are noted.
func (b *Board) ClearPerimeter() error {
	return b.changeByHost(func(c *Condition) error {
		for i := range c.Perimeter.Channels {
			c.Perimeter.Channels[i].Event = 0
		}
		return nil
	})
}

// WaitPerimeter returns when there is a breach of a channel that notifies, at
// once when there has been one since ClearPerimeter. ErrTimeout.
func (b *Board) WaitPerimeter(timeout time.Duration) error {
	return b.waitFor(timeout, func(c *Condition) bool {
		for _, ch := range c.Perimeter.Channels {
			if ch.Actions&ActionNotify != 0 && ch.Event != 0 {
				return true
			}
		}
		return false
	})
}

// InjectTamper breaches a perimeter channel.
func (b *Board) InjectTamper(number int) error {
	return b.memory.Change(func(keys Keys, c *Condition) error {
		ch, err := c.Perimeter.channel(number)
		if err != nil {
			return err
		}
		if ch.Event == 0 {
			ch.Event = b.eventTime(c)
		}
		if ch.Actions&ActionSelfDestruct != 0 && !c.Destroyed {
			b.selfDestruct(c, fatal{Code: 6, Sub: c.Perimeter.breached()}, fatal{Code: 5})
		}
		if b.settings().Has(settings.DefectTamperResets) {
			_, err = b.powerUp(keys, c)
		}
		return err
	})
}

// checkPerimeter has an SCM that starts tell of a breach that nobody has cleared.
func (b *Board) checkPerimeter(c *Condition) {
	for _, ch := range c.Perimeter.Channels {
		if ch.Event != 0 && ch.Actions&ActionSelfDestruct != 0 && !c.Binding.Locked && !c.Destroyed {
			c.Light.showFatal(fatal{Code: 6, Sub: c.Perimeter.breached()}, b.now())
			return
		}
	}
}

// eventTime is the time that is noted for a breach: of an SCM that is off, which it is
// until it answers after Boot, early firmware notes another.
func (b *Board) eventTime(c *Condition) uint32 {
	if b.settings().Has(settings.DefectWrongTime) && b.now().Before(c.Link.Ready) {
		return 1
	}
	return b.seconds(c)
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
