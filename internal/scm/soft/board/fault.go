// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Fault is something that goes wrong between the host and the SCM.
type Fault struct {
	Timeouts int  // so many calls, of any processes, return ErrTimeout
	Restart  bool // the daemon starts anew: calls return ErrAbsent until Reconnect, or Close and Open
	HugeSlot bool // the daemon dies, as if by Restart, of the number of a slot that there cannot be
}

// InjectFault makes things go wrong from now on. The zero Fault mends what can be
// mended.
func (b *Board) InjectFault(f Fault) error {
	if f.Timeouts < 0 {
		return fmt.Errorf("%d timeouts: %w", f.Timeouts, scm.ErrInput)
	}
	return b.memory.Inject(func(c *Condition) error {
		c.Link.Timeouts, c.Link.HugeSlot = f.Timeouts, f.HugeSlot
		if f.Restart {
			c.Link.Daemon++
		}
		return nil
	})
}
