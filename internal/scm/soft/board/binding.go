// SPDX-License-Identifier: Apache-2.0

package board

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// binding is to which host the SCM belongs. In development mode it belongs to
// whichever host it starts in, in production mode to one for good.
type binding struct {
	Host    string // identity of the host
	Pending bool   // production mode begins when the SCM starts the next time
	Locked  bool   // production mode
	Unbound bool   // the host is the wrong one, or the SCM does not see it
}

// LockBinding makes the next Boot the beginning of production mode, which never
// ends. ErrFixed when it has begun already.
func (b *Board) LockBinding() error {
	return b.changeByHost(func(c *Condition) error {
		if c.Binding.Locked {
			return fmt.Errorf("binding is locked: %w", scm.ErrFixed)
		}
		c.Binding.Pending, c.Binding.Host = true, b.settings().Host
		return nil
	})
}

// Binding reports whether the SCM is in production mode, and whether it is bound to
// its host. It answers like any other call, so that a host to which the SCM is
// not bound gets an error, unless Settings.TellsUnbound.
func (b *Board) Binding() (locked, bound bool, err error) {
	c, err := b.memory.Answering()
	if errors.Is(err, scm.ErrAbsent) && b.settings().TellsUnbound && c.Binding.Unbound {
		return c.Binding.Locked, false, nil
	}
	if err != nil {
		return false, false, err
	}
	return c.Binding.Locked, true, nil
}

// InjectUnbind makes the SCM one that does not see its host.
func (b *Board) InjectUnbind() error { return b.memory.Inject((*Condition).unbind) }

// InjectRebind makes it see its host again.
func (b *Board) InjectRebind() error { return b.memory.Inject((*Condition).rebind) }

func (c *Condition) unbind() error {
	c.Binding.Unbound = true
	return nil
}

func (c *Condition) rebind() error {
	c.Binding.Unbound = false
	return nil
}

// bindAtStart is what the SCM does about its host when it starts.
func (b *binding) bindAtStart(host string) {
	if b.Pending {
		b.Pending, b.Locked = false, true
	}
	if b.Locked {
		b.Unbound = b.Host != host
		return
	}
	b.Host, b.Unbound = host, false
}

// Meet is what a locked SCM does about a host to which its flash was brought without
// a start.
func (c *Condition) Meet(host string) {
	c.Binding.Unbound = c.Binding.Unbound || c.Binding.Locked && c.Binding.Host != host
}

// changeable returns ErrFixed in production mode.
func (c *Condition) changeable() error {
	if c.Binding.Locked {
		return fmt.Errorf("binding is locked: %w", scm.ErrFixed)
	}
	return nil
}
