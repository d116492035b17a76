// SPDX-License-Identifier: Apache-2.0

package board

// What was injected is taken back here. What came of it stays: keys that are destroyed, a fatal code that
// was told, and what a start decides until the next one.

// UndoTamper makes a perimeter channel one that was not breached.
func (b *Board) UndoTamper(number int) error {
	return b.memory.Inject(func(c *Condition) error {
		ch, err := c.Perimeter.channel(number)
		if err == nil {
			ch.Event = 0
		}
		return err
	})
}

// UndoBattery puts a new battery in.
func (b *Board) UndoBattery() error { return b.InjectBattery(factoryBattery().Volts) }

// UndoTemperature makes the SCM as warm as a new one.
func (b *Board) UndoTemperature() error { return b.InjectTemperature(factoryHeat().Celsius) }

// UndoTap makes the SCM one that feels no tap.
func (b *Board) UndoTap() error { return b.memory.Inject((*Condition).forgetTap) }

func (c *Condition) forgetTap() error {
	c.Motion.Direction = [axes]int{}
	return nil
}

// UndoFatal ends the time in which the LED tells a fatal code and, in an SCM like hardware, nobody is answered.
// An SCM that has destroyed its keys goes on telling it.
func (b *Board) UndoFatal() error {
	now := b.now()
	return b.memory.Inject(func(c *Condition) error {
		if !c.Destroyed {
			c.Light.Fatal = fatal{}
		}
		if now.Before(c.Link.Ready) {
			c.Link.Ready = now
		}
		return nil
	})
}
