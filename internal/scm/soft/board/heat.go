// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// auxSensors is how many temperatures there are beside that of the processor. The
// vendor does not tell.
const auxSensors = 2

// heat is the temperature of the SCM, in °C.
type heat struct {
	Celsius, Low, High float32
	Action             int
}

func factoryHeat() heat { return heat{Celsius: 40, Low: -10, High: 65} }

// CPUTemperature returns the temperature of the SCM's processor in °C.
func (b *Board) CPUTemperature() (float32, error) {
	c, err := b.memory.Answering()
	if err != nil {
		return 0, err
	}
	return c.Heat.Celsius, nil
}

// AuxTemperature returns the temperature of another sensor in °C: the same.
func (b *Board) AuxTemperature(index int) (float32, error) {
	if index < 0 || index >= auxSensors {
		return 0, fmt.Errorf("temperature sensor %d: %w", index, scm.ErrInput)
	}
	return b.CPUTemperature()
}

// SetTemperatureAction says what happens out of bounds: ThresholdNone or
// ThresholdSelfDestruct. ErrFixed in production mode.
func (b *Board) SetTemperatureAction(action int) error {
	if action != ThresholdNone && action != ThresholdSelfDestruct {
		return fmt.Errorf("temperature action %d: %w", action, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		c.Heat.Action = action
		return c.changeable()
	})
}

// SetTemperatureThresholds sets the bounds in °C; nil leaves one as it is. ErrFixed
// in production mode.
func (b *Board) SetTemperatureThresholds(low, high *float32) error {
	return b.changeByHost(func(c *Condition) error {
		if low != nil {
			c.Heat.Low = *low
		}
		if high != nil {
			c.Heat.High = *high
		}
		if h := c.Heat; !finite(h.Low) || !finite(h.High) || h.Low >= h.High {
			return fmt.Errorf("temperatures from %v to %v: %w", h.Low, h.High, scm.ErrInput)
		}
		return c.changeable()
	})
}

// InjectTemperature makes the SCM as hot or cold as this, in °C.
func (b *Board) InjectTemperature(celsius float32) error {
	if !finite(celsius) {
		return fmt.Errorf("temperature of %v: %w", celsius, scm.ErrInput)
	}
	return b.memory.Change(func(_ Keys, c *Condition) error {
		c.Heat.Celsius = celsius
		b.checkHeat(c)
		return nil
	})
}

// checkHeat does what a temperature out of bounds does. The vendor calls the
// action self-destruct, and says that the SCM then does not start: Settings.
// TemperatureFailure decides.
func (b *Board) checkHeat(c *Condition) {
	code := fatal{Code: 20}
	switch h := c.Heat; {
	case h.Action != ThresholdSelfDestruct || c.Destroyed:
		return
	case h.Celsius < h.Low:
		code.Sub = 1
	case h.Celsius > h.High:
		code.Sub = 2
	default:
		return
	}
	if c.Binding.Locked && b.settings().TemperatureFailure == settings.FailureHold {
		c.Light.showFatal(code, b.now())
		c.Boot.Held = true
		return
	}
	b.selfDestruct(c, code, fatal{Code: 6})
}
