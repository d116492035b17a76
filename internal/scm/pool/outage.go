// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"time"

	"libzk_pkcs11/internal/scm"
)

// How long a member that fails is left out at first, and at most, before it is tried again.
const (
	firstOutage = 500 * time.Millisecond
	lastOutage  = time.Minute
)

// outage is the time in which a member is left out.
type outage struct {
	began time.Time
	until time.Time // when it is tried again
	why   error
}

// errTwice is of a member that the pool has already.
var errTwice = errors.New("it is the same SCM as another one of the pool: name each once")

func (m *member) isOut() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outage != nil
}

// recover is called when the member has used a private key: the next outage is a short one again.
func (m *member) recover() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pause = 0
}

// beginOutage begins an outage, unless there is one, and returns how long it is at first. It reports whether it is new.
func (m *member) beginOutage(why error) (pause time.Duration, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outage != nil {
		return 0, false
	}
	m.outage = &outage{began: time.Now()}
	return m.lengthen(why), true
}

// prolong has an outage go on after an attempt in vain.
func (m *member) prolong(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outage != nil {
		m.lengthen(why)
	}
}

// lengthen has the holder of mu wait for twice as long as the time before.
func (m *member) lengthen(why error) time.Duration {
	m.pause = min(max(2*m.pause, firstOutage), lastOutage)
	m.outage.until, m.outage.why = time.Now().Add(m.pause), why
	return m.pause
}

// endOutage ends an outage and returns how long it was, 0 when there was none.
func (m *member) endOutage() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outage == nil {
		return 0
	}
	lasted := max(time.Since(m.outage.began), 1)
	m.outage = nil
	return lasted
}

// leaveOut has a member that fails get no more work for some time.
func (c *core) leaveOut(m *member, why error) {
	if c.closed.Load() {
		return
	}
	pause, fresh := m.beginOutage(why)
	if fresh && c.options.Log != nil {
		c.options.Log.Errorf("slot %s: %s of its pool fails and is left out; the others sign, and it is tried again from time to time, next in %v: "+
			"see what \"zk_pkcs11-util scm pool\" tells, and take it out of the setting pool if it is gone for good: %v",
			c.options.Name, m.Name, pause, why)
	}
}

// probeWhenDue has a member that is left out be tried again, beside the signature that comes now.
func (c *core) probeWhenDue(m *member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outage == nil || m.probing || time.Now().Before(m.outage.until) || c.closed.Load() {
		return
	}
	m.probing = true
	c.probes.Go(func() { c.probeMember(m) })
}

// endProbes waits for the attempts that are under way. No other begins.
func (c *core) endProbes() {
	c.closed.Store(true)
	for _, m := range c.members {
		m.forbidProbes()
	}
	c.probes.Wait()
}

// forbidProbes returns when each attempt that has seen the pool open has begun.
func (m *member) forbidProbes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outage = nil
}

// probeMember tries a member that is left out.
func (c *core) probeMember(m *member) {
	err := c.bringBack(m)
	if err != nil {
		m.prolong(err)
	} else if lasted := m.endOutage(); lasted > 0 && c.options.Log != nil {
		c.options.Log.Infof("slot %s: %s of its pool is back after %v", c.options.Name, m.Name, lasted.Round(time.Millisecond))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probing = false
}

// bringBack has a member be one that can be used: open, connected, unsealed, and its keys known.
func (c *core) bringBack(m *member) error {
	d, err := m.openDevice()
	if err != nil {
		return err
	}
	info, err := askAgain(d, d.Info)
	if err != nil {
		return err
	}
	if c.isTwice(m, info.Serial) {
		return errTwice
	}
	if err := c.unsealMember(m); err != nil {
		return err
	}
	_, err = m.listKeys(d)
	return err
}

// openDevice returns the device of a member, opened if it could not be before.
func (m *member) openDevice() (scm.Device, error) {
	if d := m.opened(); d != nil {
		return d, nil
	}
	d, err := m.Open()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device = d
	m.openTurn()
	return d, nil
}

// untold is the serial number of a device that does not tell it.
const untold = "unknown"

// isTwice reports whether a member further ahead is the same device as m, whose serial number it notes.
func (c *core) isTwice(m *member, serial string) bool {
	if serial == untold {
		return false
	}
	m.mu.Lock()
	m.serial = serial
	m.mu.Unlock()
	for _, other := range c.members {
		if other == m {
			break
		}
		if other.hasSerial(serial) {
			return true
		}
	}
	return false
}

func (m *member) hasSerial(serial string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.serial == serial
}
