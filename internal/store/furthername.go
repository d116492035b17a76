// SPDX-License-Identifier: Apache-2.0

package store

// A key in a key slot can have several names: pairs of objects. The records of the first stand under the number of the key
// slot, those of each further one under a number of their own, so that a half has one record here as ever.

// nameStep is what the number of a key slot is raised by for each further name.
const nameStep = 1 << 20

// MostNames is how many names a key can have.
const MostNames = 32

// NameSlot is the Slot of the records of a name of the key in a key slot; that of the first has the number 0.
func NameSlot(slot, name int) int { return slot + name*nameStep }

// KeySlot returns the key slot that a record is of, and the number of the name.
func (r *Record) KeySlot() (slot, name int) { return KeySlotOf(r.Slot) }

// KeySlotOf is the reverse of NameSlot.
func KeySlotOf(slot int) (keySlot, name int) {
	if slot < nameStep {
		return slot, 0
	}
	return slot % nameStep, slot / nameStep
}

// HasFurtherNames reports whether a key in a slot has more than one name.
func (tx *Tx) HasFurtherNames(slot int, public []byte) (yes bool, err error) {
	err = tx.tx.QueryRow(furtherNamed, slot, public).Scan(&yes)
	return yes, err
}

// DeleteFurtherNames deletes the further names of whatever keys a slot has had.
func (tx *Tx) DeleteFurtherNames(slot int) error {
	_, err := tx.delete(furtherNames, slot)
	return err
}

// keySlotNumber is KeySlotOf in SQL; the numbers in it are nameStep, and one less.
const (
	keySlotNumber           = "slot & 1048575"
	furtherNames  condition = "slot >= 1048576 AND " + keySlotNumber + " = ? AND slot <> -2147483648"
	furtherOfKey  condition = furtherNames + " AND public = ?"
	furtherNamed            = "SELECT EXISTS (SELECT 1 FROM records WHERE " + string(furtherOfKey) + ")"
)
