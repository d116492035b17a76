// SPDX-License-Identifier: Apache-2.0

package soft

import "libzk_pkcs11/internal/scm"

// Status is all that can be seen of a soft SCM, also of one that does not answer
// its host.
type Status struct {
	Model, Serial, Firmware string

	Answers   bool   // it answers its host
	Problem   string // why it does not, "" when it does
	Destroyed bool   // its keys are gone for good

	Production bool // the binding is locked
	Pending    bool // it will be at the next start
	Bound      bool

	Battery     BatteryStatus
	Temperature TemperatureStatus
	Perimeter   [PerimeterChannels]ChannelStatus
	Time        uint32 // of the SCM's clock, in s since 1970
	LED         LED

	Slots    []scm.Slot // allocated, -1 for the ephemeral key
	Foreign  []scm.Slot // allocated
	Capacity int
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

// Status tells the state of the SCM. It uses up no fault.
func (d *Device) Status() (Status, error) {
	known, err := d.refresh(everySlot)
	if err != nil {
		return Status{}, err
	}
	c := &known.condition
	s := Status{
		Model: modelName, Serial: d.serial, Firmware: d.options.Firmware,
		Destroyed:  c.Destroyed,
		Production: c.Binding.Locked, Pending: c.Binding.Pending, Bound: !c.Binding.Unbound,
		Battery:     BatteryStatus{c.Battery.Volts, c.Battery.Threshold, c.Battery.Action},
		Temperature: TemperatureStatus(c.Heat),
		Perimeter:   c.Perimeter.status(),
		Time:        d.seconds(c),
		LED:         c.led(d.clock()),
		Foreign:     known.foreignSlots(),
		Capacity:    d.options.MaxKeys,
	}
	for _, k := range known.keys() {
		s.Slots = append(s.Slots, k.Slot)
	}
	if err := d.silence(known); err != nil {
		s.Problem = err.Error()
	}
	s.Answers = s.Problem == ""
	return s, nil
}

func (p *perimeter) status() (all [PerimeterChannels]ChannelStatus) {
	for i, ch := range p.Channels {
		all[i] = ChannelStatus{ch.Actions&ActionNotify != 0, ch.Actions&ActionSelfDestruct != 0, ch.Event}
	}
	return all
}
