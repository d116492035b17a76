// SPDX-License-Identifier: Apache-2.0

// Package pool is one device made of several: SCMs that hold the same keys, because they
// were restored from the same words, share the signatures of one slot.
//
// The first device is the token's own: who it is, its keys, its PINs and whatever it keeps
// are those of the pool. The others, its further members, make signatures and agree on
// secrets with those keys of the first that they hold, too. A key is found in a member by its
// public key, never by the number of its slot.
//
// A member does one thing at a time, whichever process asks for it. A signature goes to the
// member that is free, in turn, and waits where none is: the job that came first in a process is
// served first, between processes none is. Nobody waits for another process for longer than a second.
//
// A member that fails is left out, and the signature is made by another one. It is tried again after a pause, at first [firstOutage], twice as long
// after each attempt in vain, [lastOutage] at most, by the side of the signature that comes then.
package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/turn"
)

// MostMembers is how many members a pool can have, the first among them.
const MostMembers = 64

// Log is where the pool tells what an operator has to know.
type Log interface {
	Errorf(format string, args ...any)
	Infof(format string, args ...any)
}

// Options are what a pool needs of its surroundings.
type Options struct {
	Name  string              // of the slot, in the log
	Log   Log                 // nil: nothing is told
	Pause func(time.Duration) // sleeps as the process wants it; nil means time.Sleep
}

// Member is a device that may hold keys of the first one.
type Member struct {
	Name string
	Open func() (scm.Device, error) // again when it has failed before
	Turn func() (Turn, error)       // by which processes take turns with it; nil: they do not
}

// Turn is a lock between processes.
type Turn interface {
	// TryTurn takes the lock, unless another process has it; release does nothing then. A lock that cannot be taken for
	// another reason is free: it keeps nobody from the device.
	TryTurn() (release func(), free bool)
	Close() error
}

// core is what all pools have in common.
type core struct {
	first   scm.Device
	options Options
	members []*member // the first is that of first
	line    line
	known   memory

	open   atomic.Bool // the first has used a private key, or was unsealed
	closed atomic.Bool
	probes sync.WaitGroup

	login  turn.Mutex // guards secret, also while a member reads its files to be unsealed
	secret *secret.Buffer
}

// New returns the device of a pool. Members that cannot be opened are left out, and tried
// again. firstTurn is that of the first device.
func New(first scm.Device, firstTurn func() (Turn, error), further []Member, o Options) scm.Device {
	if o.Pause == nil {
		o.Pause = time.Sleep
	}
	c := &core{first: first, options: o, login: turn.Mutex{Pause: o.Pause}}
	c.members = append(c.members, &member{Member: Member{Name: "the first SCM", Turn: firstTurn}, device: first})
	for _, m := range further {
		c.members = append(c.members, &member{Member: m})
	}
	for i, m := range c.members {
		m.bit = 1 << i
		m.openTurn()
		if err := c.bringBack(m); err != nil && i > 0 {
			c.leaveOut(m, err)
		}
	}
	return c.withAbilities(first)
}

// Close closes all members, the first at the end.
func (c *core) Close() error {
	c.endProbes()
	c.keepSecret(nil)
	var err error
	for i := len(c.members) - 1; i >= 0; i-- {
		if failed := c.members[i].close(); failed != nil {
			err = failed
		}
	}
	return err
}

// Sign is scm.Device.Sign, by any member that holds the key.
func (c *core) Sign(s scm.Slot, message []byte) ([]byte, error) {
	return c.useMember(s, func(d scm.Device, s scm.Slot) ([]byte, error) { return d.Sign(s, message) })
}

// Agree is scm.Agreer.Agree, by any member that holds the key.
func (c *core) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	return c.useMember(s, func(d scm.Device, s scm.Slot) ([]byte, error) {
		agreer, can := d.(scm.Agreer)
		if !can {
			return nil, scm.ErrAbility
		}
		return agreer.Agree(s, peer)
	})
}
