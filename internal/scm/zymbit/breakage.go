// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"
	"strings"

	"libzk_pkcs11/internal/scm"
)

// breakage are slots of which the module shows what is no public key, by the reason: a
// library that has another form for one key has it for many.
type breakage struct {
	reasons []string
	slots   map[string][]string
}

func (b *breakage) addSlot(s scm.Slot, why error) {
	reason := why.Error()
	if b.slots == nil {
		b.slots = map[string][]string{}
	}
	if b.slots[reason] == nil {
		b.reasons = append(b.reasons, reason)
	}
	b.slots[reason] = append(b.slots[reason], fmt.Sprint(int(s)))
}

// report logs a line for each reason.
func (b *breakage) report(d *Device, where string) {
	for _, reason := range b.reasons {
		d.logError("%s %s: %s; they are not shown to programs: look for a newer version of the vendor's library, and report this",
			where, strings.Join(b.slots[reason], ", "), reason)
	}
}
