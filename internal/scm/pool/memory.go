// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"slices"
	"sync"

	"libzk_pkcs11/internal/scm"
)

// memory is what the first device has answered last. It stands for the device while that does
// not answer and another member does: sessions go on, and sign. What it is and which keys it has
// cannot change meanwhile.
type memory struct {
	mu   sync.Mutex // held for a moment
	info *scm.Info
	keys map[scm.Slot]seen
	all  []scm.Key // nil until they were listed
}

// seen is a key, and how the device stood when it was seen in its slot.
type seen struct {
	key   scm.Key
	stamp uint64
}

// Info is scm.Device.Info.
func (c *core) Info() (scm.Info, error) {
	info, err := askFirst(c, c.first.Info)
	c.known.mu.Lock()
	defer c.known.mu.Unlock()
	switch {
	case err == nil:
		c.known.info = &info
	case c.standsIn(err) && c.known.info != nil:
		return *c.known.info, nil
	}
	return info, err
}

// Keys is scm.Device.Keys.
func (c *core) Keys() ([]scm.Key, error) {
	keys, err := askFirst(c, c.first.Keys)
	c.known.mu.Lock()
	defer c.known.mu.Unlock()
	switch {
	case err == nil:
		c.known.all = slices.Clone(keys)
	case c.standsIn(err) && c.known.all != nil:
		return slices.Clone(c.known.all), nil
	}
	return keys, err
}

// PublicKey is scm.Device.PublicKey.
func (c *core) PublicKey(s scm.Slot) (scm.Key, error) {
	stamp := c.stampOf(s)
	key, err := askFirst(c, func() (scm.Key, error) { return c.first.PublicKey(s) })
	c.known.mu.Lock()
	defer c.known.mu.Unlock()
	known, there := c.known.keys[s]
	switch {
	case err == nil && s >= 0:
		c.known.remember(s, seen{key, stamp})
	case there && c.standsIn(err):
		return known.key, nil
	case there && err != nil && !isSilence(err):
		delete(c.known.keys, s)
	}
	return key, err
}

func (m *memory) remember(s scm.Slot, k seen) {
	if m.keys == nil {
		m.keys = map[scm.Slot]seen{}
	}
	m.keys[s] = k
}

// publicIn returns the public key in a slot of the first device, "" when others cannot have it. The
// device is asked only when it has changed.
func (c *core) publicIn(s scm.Slot) string {
	if s < 0 {
		return ""
	}
	c.known.mu.Lock()
	known, there := c.known.keys[s]
	c.known.mu.Unlock()
	if there && known.stamp == c.stampOf(s) {
		return string(known.key.Public)
	}
	k, err := c.PublicKey(s)
	if err != nil {
		return ""
	}
	return string(k.Public)
}

func (c *core) stampOf(s scm.Slot) uint64 { return scm.StampOf(c.first, s) }

// askAgain asks a device once more when it was absent, and could be connected anew.
func askAgain[T any](d scm.Device, call func() (T, error)) (T, error) {
	result, err := call()
	if r, can := d.(scm.Reconnector); can && errors.Is(err, scm.ErrAbsent) && r.Reconnect() == nil {
		return call()
	}
	return result, err
}

// askFirst asks the first device, connected anew if need be. One that does not answer is left out.
func askFirst[T any](c *core, call func() (T, error)) (T, error) {
	result, err := askAgain(c.first, call)
	if err != nil && isSilence(err) && len(c.members) > 1 {
		c.leaveOut(c.members[0], err)
	}
	return result, err
}

// standsIn reports whether what is known takes the place of an answer: the first device is away,
// and another member is at hand.
func (c *core) standsIn(err error) bool {
	if err == nil || !isSilence(err) || c.closed.Load() {
		return false
	}
	return slices.ContainsFunc(c.members[1:], func(m *member) bool { return !m.isOut() })
}
