// SPDX-License-Identifier: Apache-2.0

package board

// Status is all that can be seen of a board.
type Status struct {
	Destroyed bool // the keys of the SCM are gone for good

	Production bool // the binding is locked
	Pending    bool // it will be at the next start
	Bound      bool

	Battery     BatteryStatus
	Temperature TemperatureStatus
	Perimeter   [PerimeterChannels]ChannelStatus
	Time        uint32 // of the SCM's clock, in s since 1970
	LED         LED
}

// BatteryStatus is the state of the battery, in volts.
type BatteryStatus struct {
	Volts, Threshold float32
	Action           int // one of the Threshold constants
}

// TemperatureStatus is the temperature in °C.
type TemperatureStatus struct {
	Celsius, Low, High float32
	Action             int // one of the Threshold constants
}

// ChannelStatus is the state of a perimeter channel.
type ChannelStatus struct {
	Notify, SelfDestruct bool
	Event                uint32 // when it was breached, in s since 1970; 0 = never
}

// StatusOf returns what can be seen of the board in a condition.
func (b *Board) StatusOf(c *Condition) Status {
	return Status{
		Destroyed:  c.Destroyed,
		Production: c.Binding.Locked, Pending: c.Binding.Pending, Bound: !c.Binding.Unbound,
		Battery:     BatteryStatus{c.Battery.Volts, c.Battery.Threshold, c.Battery.Action},
		Temperature: TemperatureStatus(c.Heat),
		Perimeter:   c.Perimeter.status(),
		Time:        b.seconds(c),
		LED:         c.visibleLED(b.now()),
	}
}

func (p *perimeter) status() (all [PerimeterChannels]ChannelStatus) {
	for i, ch := range p.Channels {
		all[i] = ChannelStatus{ch.Actions&ActionNotify != 0, ch.Actions&ActionSelfDestruct != 0, ch.Event}
	}
	return all
}
