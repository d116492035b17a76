// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"
	"math"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// What an SCM does when its battery is low or its temperature out of bounds; the
// numbers are the vendor's.
const (
	ThresholdNone = iota
	ThresholdSelfDestruct
	ThresholdSleep // until the battery is replaced
)

// The vendor refuses thresholds from batteryLimit on; early firmware took those
// up to batteryWindow, too, and misbehaved.
const (
	batteryLimit  = 2.5
	batteryWindow = 3.0
)

type battery struct {
	Volts, Threshold float32
	Action           int
	Asleep           bool
}

func factoryBattery() battery { return battery{Volts: 3.1, Threshold: 2.3} }

// BatteryVoltage returns the voltage of the battery.
func (b *Board) BatteryVoltage() (float32, error) {
	c, err := b.memory.Answering()
	if err != nil {
		return 0, err
	}
	return c.Battery.Volts, nil
}

// SetBatteryAction says what happens when the SCM starts or loses power with a
// battery below the threshold. ErrFixed in production mode.
func (b *Board) SetBatteryAction(action int) error {
	if action < ThresholdNone || action > ThresholdSleep {
		return fmt.Errorf("battery action %d: %w", action, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		c.Battery.Action = action
		return c.changeable()
	})
}

// SetBatteryThreshold sets the voltage below which the battery is low: less than
// 2.5 V. ErrFixed in production mode.
func (b *Board) SetBatteryThreshold(volts float32) error {
	limit := float32(batteryLimit)
	if b.settings().Has(settings.DefectBatteryWindow) {
		limit = batteryWindow
	}
	if !(volts >= 0 && volts < limit) {
		return fmt.Errorf("battery threshold of %v V: %w", volts, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		c.Battery.Threshold = volts
		return c.changeable()
	})
}

// InjectBattery sets the voltage of the battery, as a new one or one that runs
// out does. What follows from it follows at the next Boot.
func (b *Board) InjectBattery(volts float32) error {
	if !finite(volts) || volts < 0 {
		return fmt.Errorf("battery of %v V: %w", volts, scm.ErrInput)
	}
	return b.memory.Inject(func(c *Condition) error {
		c.Battery.Volts = volts
		return nil
	})
}

func finite(f float32) bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// checkBattery does what a low battery does.
func (b *Board) checkBattery(c *Condition) {
	low := c.Battery.Volts < c.Battery.Threshold
	c.Battery.Asleep = low && c.Battery.Action == ThresholdSleep
	if low && c.Battery.Action == ThresholdSelfDestruct && !c.Destroyed {
		b.selfDestruct(c, fatal{Code: 4, Sub: 1}, fatal{Code: 6})
	}
}
