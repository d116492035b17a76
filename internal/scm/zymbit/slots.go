// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"maps"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// listSlots lists the key slots in use in ascending order, with a context that it has found to
// live. The caller holds calls.
func (d *Device) listSlots() (all []scm.Slot, err error) {
	for t := d.newTries(); t.next(&err); {
		all, err = d.readList()
	}
	return all, err
}

// readList asks the module for the key slots in use, and puts in order what it answers: modules
// are not known to list their permanent slots, and a library may not have the function. The
// caller holds calls, and has tries for it.
func (d *Device) readList() ([]scm.Slot, error) {
	numbers, err := d.api.slots()
	if d.listless(err) {
		numbers, err = d.listWithout(err)
	}
	if err != nil {
		return nil, err
	}
	all := make([]scm.Slot, 0, len(numbers)+scm.PermanentSlots)
	for _, s := range numbers {
		if s.Permanent() || s.User() {
			all = append(all, s)
		} else if s > scm.LastUser {
			d.logWarning("the SCM lists key slot %d; those beyond %d are left out", int(s), int(scm.LastUser))
		}
	}
	for _, s := range d.expected() {
		there, err := d.unlisted(s, all)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// listWithout stands in for the list of a module that does not give one, for a reason that
// is not the context's: keys that were made or seen here are known.
func (d *Device) listWithout(why error) ([]scm.Slot, error) {
	if err := d.answers(); err != nil {
		return nil, why
	}
	d.unlists = true
	if !lacksFunction(why) {
		d.logWarning("the SCM does not list its key slots, so that keys of other programs do not show: %v", why)
	}
	d.mu.Lock()
	known, recalled := slices.Collect(maps.Keys(d.known.slots)), d.saved.Serial != "" || d.known.swept
	d.mu.Unlock()
	if recalled {
		return known, nil
	}
	found, err := probeSlots(scm.FirstUser, scm.LastUser, d.api.publicKey)
	return append(known, found...), err
}

// gap is how many slots in a row are empty behind the last key of a module that does not
// tell which slots it uses.
const gap = 8

// probeSlots asks slots for their keys, one after the other.
func probeSlots(first, last scm.Slot, ask func(scm.Slot) ([]byte, error)) (all []scm.Slot, err error) {
	for s, empty := first, 0; s <= last && empty < gap; s++ {
		switch _, err := ask(s); {
		case timedOut(err):
			return nil, err
		case refused(err):
			empty++
		default:
			all, empty = append(all, s), 0
		}
	}
	return all, nil
}

// listless reports whether the module does not list its slots, by the error of that. When a
// context refuses it that was opened a while ago, it may be dead.
func (d *Device) listless(err error) bool {
	return unable(err) && (d.again || d.unlists || lacksFunction(err))
}

// expected are the slots that a list should have: the permanent ones, and those with keys
// that are known.
func (d *Device) expected() []scm.Slot {
	all := make([]scm.Slot, scm.PermanentSlots)
	for s := range all {
		all[s] = scm.Slot(s)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, s := range d.known.slots {
		if n.User() && s.key.Public != nil {
			all = append(all, n)
		}
	}
	return all
}

// unlisted reports whether a slot that is not listed is there all the same. It is asked for
// its key once.
func (d *Device) unlisted(s scm.Slot, listed []scm.Slot) (there bool, err error) {
	if slices.Contains(listed, s) {
		return false, nil
	}
	d.mu.Lock()
	there, asked := d.known.unlisted[s]
	d.mu.Unlock()
	if asked {
		return there, nil
	}
	_, err = d.api.publicKey(s)
	if timedOut(err) {
		return false, err
	}
	there = !refused(err)
	if !there {
		if err := d.checkAlive(); err != nil {
			return false, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if there || s.Permanent() {
		d.known.unlisted[s] = there
	}
	return there, nil
}

// checkAlive returns an error if the context is dead: then all calls are refused. What was refused by
// one that is not was refused for a reason of its own. The caller holds calls.
func (d *Device) checkAlive() error {
	_, err := d.api.slots()
	if d.listless(err) {
		err = d.answers()
	}
	if err != nil {
		return &dead{err}
	}
	return nil
}

// dead is the error of a context that answers nothing.
type dead struct{ error }

func (e *dead) Unwrap() error { return e.error }

// isFatal reports whether an error is that of all calls, and says nothing of a slot.
func isFatal(err error) bool {
	var e *dead
	return timedOut(err) || errors.As(err, &e)
}

// answers is checkAlive for a module that does not list its slots.
func (d *Device) answers() (err error) {
	for _, p := range []property{serial, firmware} {
		if _, err = d.api.text(p); !unable(err) {
			return err
		}
	}
	_, err = d.api.random(1)
	return err
}

// Slots lists the allocated permanent and user slots in ascending order, also those
// whose public key the module does not show. It costs a call each time.
func (d *Device) Slots() ([]scm.Slot, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	return d.listSlots()
}

// logWarning logs what costs an ability, or a key.
func (d *Device) logWarning(format string, args ...any) {
	if d.options.Log != nil {
		d.options.Log.Warningf(format, args...)
	}
}

// logError logs what somebody has to do something about.
func (d *Device) logError(format string, args ...any) {
	if d.options.Log != nil {
		d.options.Log.Errorf(format, args...)
	}
}
