// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
)

// Axes of the accelerometer; the numbers are the vendor's.
const (
	axes    = 3
	AxisAll = 3
)

// motion is what the accelerometer feels.
type motion struct {
	Sensitivity [axes]float32 // to taps, in percent
	Direction   [axes]int     // of the latest tap: -1, 0 or 1
	Taps        int           // so far
}

func factoryMotion() motion { return motion{Sensitivity: [axes]float32{50, 50, 50}} }

// Acceleration is what the accelerometer tells of one axis.
type Acceleration struct {
	G   float64 // in units of the acceleration of gravity
	Tap int     // direction of the latest tap: -1, 0 or 1
}

// Accelerometer returns what it tells of x, y and z: an SCM that lies flat.
func (b *Board) Accelerometer() (a [axes]Acceleration, err error) {
	c, err := b.memory.Answering()
	if err != nil {
		return a, err
	}
	for i, direction := range c.Motion.Direction {
		a[i].Tap = direction
	}
	a[axes-1].G = 1
	return a, nil
}

// SetTapSensitivity sets how easily a tap is felt, from 0 to 100 percent, along an
// axis or AxisAll.
func (b *Board) SetTapSensitivity(axis int, percent float32) error {
	if axis < 0 || axis > AxisAll || !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("tap sensitivity %v of axis %d: %w", percent, axis, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		for i := range c.Motion.Sensitivity {
			if axis == i || axis == AxisAll {
				c.Motion.Sensitivity[i] = percent
			}
		}
		return nil
	})
}

// WaitTap returns at the next tap. ErrTimeout.
func (b *Board) WaitTap(timeout time.Duration) error {
	c, err := b.memory.Answering()
	if err != nil {
		return err
	}
	before := c.Motion.Taps
	return b.waitFor(timeout, func(c *Condition) bool { return c.Motion.Taps != before })
}

// InjectTap taps the SCM along an axis, in the direction -1 or 1. It does not feel
// it when the sensitivity is 0.
func (b *Board) InjectTap(axis, direction int) error {
	if axis < 0 || axis >= axes || direction != 1 && direction != -1 {
		return fmt.Errorf("tap %d along axis %d: %w", direction, axis, scm.ErrInput)
	}
	return b.memory.Inject(func(c *Condition) error {
		m := &c.Motion
		if m.Sensitivity[axis] == 0 {
			return nil
		}
		m.Direction = [axes]int{}
		m.Direction[axis] = direction
		m.Taps++
		return nil
	})
}

// SetI2CAddress returns ErrAbility: an SCM is not on an I²C bus. ErrInput for
// what is no address of the modules that are.
func (b *Board) SetI2CAddress(address int) error {
	if (address < 0x30 || address > 0x37) && (address < 0x60 || address > 0x67) {
		return fmt.Errorf("I²C address %#x: %w", address, scm.ErrInput)
	}
	if _, err := b.memory.Answering(); err != nil {
		return err
	}
	return fmt.Errorf("I²C address: %w", scm.ErrAbility)
}
