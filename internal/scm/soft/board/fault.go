// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Fault is something that goes wrong between the host and the SCM.
type Fault struct {
	Timeouts int  // so many calls, of any processes, return ErrTimeout
	On       Call // of these calls
	Restart  bool // the daemon starts anew: calls return ErrAbsent until Reconnect, or Close and Open
	HugeSlot bool // the daemon dies, as if by Restart, of the number of a slot that there cannot be
}

// Call is a kind of call that a Fault is about.
type Call string

// Calls that a Fault can be about.
const (
	AnyCall      Call = ""
	SignCall     Call = "sign"
	GenerateCall Call = "generate"
)

// InjectFatal has the SCM give up with a code that nothing else here brings about: 8 when it cannot
// reach a host that is overloaded, 22-9 when supervised boot itself fails, 6 when the area of the
// keys has another digest than it should, by which they are lost in production mode.
func (b *Board) InjectFatal(code string) error {
	f, known := map[string]fatal{"8": {Code: 8}, "22-9": {Code: 22, Sub: 9}, "6": {Code: 6}}[code]
	if !known {
		return fmt.Errorf("fatal code %q is not one of 8, 22-9 and 6: %w", code, scm.ErrInput)
	}
	return b.memory.Change(func(_ Keys, c *Condition) error {
		if f.Code == 6 {
			b.selfDestruct(c, f, f)
		} else {
			b.giveUp(c, f)
		}
		return nil
	})
}

// InjectFault makes things go wrong from now on. The zero Fault mends what can be
// mended.
func (b *Board) InjectFault(f Fault) error {
	if f.Timeouts < 0 {
		return fmt.Errorf("%d timeouts: %w", f.Timeouts, scm.ErrInput)
	}
	if f.On != AnyCall && f.On != SignCall && f.On != GenerateCall {
		return fmt.Errorf("timeouts of %q: %w", f.On, scm.ErrInput)
	}
	return b.memory.Inject(func(c *Condition) error {
		c.Link.Timeouts, c.Link.On, c.Link.HugeSlot = f.Timeouts, f.On, f.HugeSlot
		if f.Restart {
			c.Link.Daemon++
		}
		return nil
	})
}
