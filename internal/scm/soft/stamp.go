// SPDX-License-Identifier: Apache-2.0

package soft

import "libzk_pkcs11/internal/scm"

// nothingThere marks the stamps of volatile slots without a key.
const nothingThere = 1 << 63

// Stamp tells the state of a key slot. It grows with the versions of the parts of the flash
// that decide about the key, and with what this process opens and forgets.
func (d *Device) Stamp(slot scm.Slot) uint64 {
	s := d.known.Load()
	if s.closed {
		return 0
	}
	stamp := d.file.PartVersion(restPart)
	if slot.Permanent() || slot.User() {
		stamp = max(stamp, d.file.PartVersion(partOf(slot)))
	}
	stamp += s.era
	if slot.Volatile() {
		number, there := s.volatile.number(slot)
		if !there {
			return stamp | nothingThere
		}
		stamp += number
	}
	return stamp
}
