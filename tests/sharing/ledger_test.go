// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/miekg/pkcs11"
)

// object is what the ledger knows of an object, or of a key pair, on the token.
type object struct {
	label, value string
	pair         bool
	owner        int
	gone         bool
	underWay     int // changes that have begun and not ended
	moves        int // how often a change has begun or ended
}

// settled reports whether nothing has happened to an object between two looks at it.
func settled(before, after object) bool { return before.underWay == 0 && before.moves == after.moves }

// ledger has every change that a process has been told is done.
type ledger struct {
	mu      sync.Mutex
	objects []*object // those that are gone stay for a while
	count   int
	pin     string
	pins    int // how often a change of the PIN has begun or ended
}

// longest is how many objects the ledger keeps.
const longest = 600

// begin notes a new object that is about to be made.
func (l *ledger) begin(owner int, pair bool) *object {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	o := &object{label: fmt.Sprint("object", l.count), value: "v0", pair: pair, owner: owner, underWay: 1}
	l.objects = append(l.objects, o)
	if len(l.objects) > longest {
		l.forget()
	}
	return o
}

// forget drops the object that has been gone for longest.
func (l *ledger) forget() {
	for i, o := range l.objects {
		if o.gone && o.underWay == 0 {
			l.objects = append(l.objects[:i:i], l.objects[i+1:]...)
			return
		}
	}
}

// touch notes that a change of an object begins.
func (l *ledger) touch(o *object) object {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := *o
	o.underWay++
	o.moves++
	return before
}

// end notes what came of a change, and returns the object as it was until then.
func (l *ledger) end(o *object, done func(o *object)) object {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := *o
	o.underWay--
	o.moves++
	done(o)
	return before
}

// now returns an object as it is.
func (l *ledger) now(o *object) object {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *o
}

// all returns the objects as they are.
func (l *ledger) all() map[*object]object {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[*object]object{}
	for _, o := range l.objects {
		all[o] = *o
	}
	return all
}

// any chooses an object among those that fit, if there is one, and tells how many are
// not gone.
func (l *ledger) any(fits func(*object) bool) (chosen *object, alive int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := 0
	for _, o := range l.objects {
		if !o.gone {
			alive++
		}
		if fits(o) {
			if seen++; rand.N(seen) == 0 {
				chosen = o
			}
		}
	}
	return chosen, alive
}

// currentPIN is the PIN, and how often it has been about to change.
func (l *ledger) currentPIN() (string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pin, l.pins
}

// movePIN notes that a change of the PIN begins, or ends with a new one.
func (l *ledger) movePIN(pin string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pin = pin
	l.pins++
}

// judge tells what is wrong with the answer of a process that has looked for an object,
// if nothing happened to that meanwhile.
func judge(before, after object, rv pkcs11.Error, value string) error {
	if rv != pkcs11.CKR_OK && rv != pkcs11.CKR_OBJECT_HANDLE_INVALID {
		return fmt.Errorf("looking for %s: %w", before.label, rv)
	}
	if !settled(before, after) {
		return nil
	}
	if before.gone != (rv != pkcs11.CKR_OK) {
		return fmt.Errorf("%s is gone: %v, and the search of another process answers: %w", before.label, before.gone, rv)
	}
	if !before.gone && !before.pair && value != before.value {
		return fmt.Errorf("%s has the value %q in another process, and not %q", before.label, value, before.value)
	}
	return nil
}
