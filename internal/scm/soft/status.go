// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

// Status is all that can be seen of a soft SCM, also of one that does not answer
// its host.
type Status struct {
	Model, Serial, Firmware string

	Answers bool   // it answers its host
	Problem string // why it does not, "" when it does

	board.Status

	Slots    []scm.Slot // allocated, -1 for the ephemeral key
	Foreign  []scm.Slot // allocated
	Capacity int
}

// Status tells the state of the SCM. It uses up no fault.
func (d *Device) Status() (Status, error) {
	known, err := d.refresh(everySlot)
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Model: modelName, Serial: d.serial, Firmware: d.options.Firmware,
		Status:   d.StatusOf(&known.condition),
		Foreign:  known.foreignSlots(),
		Capacity: d.options.MaxKeys,
	}
	for _, k := range known.allKeys() {
		s.Slots = append(s.Slots, k.Slot)
	}
	if err := d.silence(known); err != nil {
		s.Problem = err.Error()
	}
	s.Answers = s.Problem == ""
	return s, nil
}
