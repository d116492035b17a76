// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"libzk_pkcs11/internal/doctor"
)

// examination is what "doctor" and "check" look at: all slots, unless one is named.
type examination struct {
	tokenName
	process int
}

// examine looks at it.
func (e *examination) examine() (doctor.Report, error) {
	r := doctor.Examine(doctor.Options{Getenv: os.Getenv, Process: e.process})
	if !e.isSearched() && !e.bySlot.Changed || len(r.Slots) == 0 { // without settings there are no slots to choose from
		return r, nil
	}
	if e.isSearched() && e.bySlot.Changed {
		return r, usagef("--slot and another option both name a token; give one of them")
	}
	var chosen []int
	for _, s := range r.Slots {
		if e.means(s) {
			chosen = append(chosen, s.Slot)
		}
	}
	if chosen == nil {
		return r, fmt.Errorf("there is no such token; without --slot, --token and --serial all are looked at")
	}
	return r.OfSlots(chosen), nil
}

// means reports whether a slot is one that is named.
func (e *examination) means(s doctor.Vitals) bool {
	if e.bySlot.Changed {
		return uint(s.Slot) == e.slot
	}
	return (!e.byLabel.Changed || s.Label == e.token) && (!e.bySerial.Changed || s.Serial == e.serial)
}
