// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

// work is what a member is asked to do with the key in a slot of its own.
type work func(scm.Device, scm.Slot) ([]byte, error)

// job is a signature, or an agreement, that is to be made by one of the members.
type job struct {
	pool   *core
	slot   scm.Slot // in the first
	public string   // "" when no other member can have the key
	tried  uint64   // the members that have failed at it
	err    error    // of the last of them, that of the first before all others
}

// useMember has work done by a member that holds the key in a slot of the first.
func (c *core) useMember(s scm.Slot, task work) ([]byte, error) {
	j := &job{pool: c, slot: s}
	if c.open.Load() {
		j.public = c.publicIn(s)
	}
	for {
		m, release := c.awaitMember(j)
		if m == nil {
			return nil, j.err
		}
		result, err := m.perform(j, task)
		release()
		if err == nil {
			c.succeeded(m)
			return result, nil
		}
		if final := c.failed(j, m, err); final {
			return nil, err
		}
	}
}

// succeeded notes that a member has used a private key.
func (c *core) succeeded(m *member) {
	if m.isFirst() {
		c.open.Store(true)
	}
	m.recover()
}

// failed notes that a member has failed at a job, and reports whether the others need not be asked.
func (c *core) failed(j *job, m *member, err error) (final bool) {
	if m.isFirst() || j.err == nil {
		j.err = err
	}
	j.tried |= m.bit
	switch {
	case isAboutRequest(err):
		return true
	case m.isFirst() && isAboutToken(err):
		c.noteSealed(err)
		return true
	case errors.Is(err, scm.ErrSealed) && !c.open.Load(): // by a logout meanwhile
		return true
	case !isAboutKey(err):
		c.leaveOut(m, err)
	}
	return false
}

// noteSealed has the first be asked alone until it has used a key again.
func (c *core) noteSealed(err error) {
	if errors.Is(err, scm.ErrSealed) {
		c.open.Store(false)
	}
}

// isAboutRequest reports whether every device would answer so.
func isAboutRequest(err error) bool {
	return errors.Is(err, scm.ErrInput) || errors.Is(err, scm.ErrCurve)
}

// isAboutToken reports whether what the first answers is the end of the token's key, or of the login.
func isAboutToken(err error) bool {
	return errors.Is(err, scm.ErrSealed) || errors.Is(err, scm.ErrDestroyed) ||
		errors.Is(err, scm.ErrSlotEmpty) || errors.Is(err, scm.ErrSlotRange)
}

// isAboutKey reports whether a device works, and has no use of this key.
func isAboutKey(err error) bool {
	return errors.Is(err, scm.ErrAbility) || errors.Is(err, scm.ErrSlotEmpty) || errors.Is(err, scm.ErrSlotRange)
}

// isSilence reports whether a device may only be away.
func isSilence(err error) bool {
	return (errors.Is(err, scm.ErrAbsent) || errors.Is(err, scm.ErrTimeout) || errors.Is(err, scm.ErrDevice)) &&
		!errors.Is(err, scm.ErrDestroyed)
}

// candidates are the members that can do the job: those at hand, and where there are none,
// those that are left out.
func (j *job) candidates() uint64 {
	var here, out uint64
	for _, m := range j.pool.members {
		if j.tried&m.bit != 0 || !j.pool.holds(m, j) {
			continue
		}
		if m.isOut() {
			out |= m.bit
		} else {
			here |= m.bit
		}
	}
	if here == 0 {
		return out
	}
	return here
}

// holds reports whether a member has the key of a job.
func (c *core) holds(m *member, j *job) bool {
	c.probeWhenDue(m)
	if m.isFirst() {
		return true
	}
	if j.public == "" {
		return false
	}
	_, err := m.slotOf(j.public)
	if err != nil && !isAboutKey(err) {
		c.leaveOut(m, err)
	}
	return err == nil
}
