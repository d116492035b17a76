// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
)

// condition is the state of the SCM beside its keys: nothing in it is secret.
type condition struct {
	Link      link
	Binding   binding
	Boot      bootState
	Perimeter perimeter
	Battery   battery
	Heat      heat
	Light     light
	Motion    motion
	Made      time.Time // when the SCM was made: its clock was right then
	Destroyed bool      // its keys are gone for good
}

// link is what stands between the SCM and its host.
type link struct {
	Ready    time.Time // the SCM does not answer before
	Settled  time.Time // calls time out before
	Daemon   int       // how often the daemon has started anew
	Timeouts int       // how many calls time out yet
	HugeSlot bool      // the daemon dies when it hears the number of a slot that there cannot be
}

func factoryCondition(now time.Time) condition {
	return condition{
		Perimeter: factoryPerimeter(),
		Battery:   factoryBattery(),
		Heat:      factoryHeat(),
		Motion:    factoryMotion(),
		Made:      now,
	}
}

// absence is why the SCM does not answer, whatever the time; "" when it does.
func (c *condition) absence() string {
	switch {
	case c.Binding.Unbound:
		return "not bound to this host"
	case c.Boot.Held:
		return "held in reset"
	case c.Battery.Asleep:
		return "asleep until the battery is replaced"
	}
	return ""
}

func readCondition(tx *sql.Tx) (c condition, err error) {
	var text []byte
	if err := tx.QueryRow("SELECT condition FROM scm").Scan(&text); err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("condition: %w: %w", scm.ErrDevice, err)
	}
	return c, nil
}

func writeCondition(tx *sql.Tx, c condition) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE scm SET condition = ?", string(text))
	return err
}

// change changes the condition, and whatever else of the flash belongs to that, in one
// transaction. It works whether the SCM answers its host or not.
func (d *Device) change(f func(tx *sql.Tx, c *condition) error) error {
	destroyed := false
	err := d.file.Update(func(tx *sql.Tx) error {
		c, err := readCondition(tx)
		if err != nil {
			return err
		}
		if err := f(tx, &c); err != nil {
			return err
		}
		destroyed = c.Destroyed
		return writeCondition(tx, c)
	})
	if err == nil && destroyed {
		d.tidy()
		d.purge()
	}
	return fault(err)
}

// inject changes nothing but the condition, as the world does, whether the SCM answers
// or not.
func (d *Device) inject(f func(c *condition) error) error {
	return d.transact(func(tx *sql.Tx, e *effect) error {
		c, err := readCondition(tx)
		if err != nil {
			return err
		}
		if err := f(&c); err != nil {
			return err
		}
		e.rest(func(r *rest) {
			r.condition = c
			r.condition.Binding.meet(d.options.Host)
		})
		return writeCondition(tx, c)
	})
}

// set is a call of the host that changes the condition.
func (d *Device) set(f func(c *condition) error) error {
	if _, err := d.answering(); err != nil {
		return err
	}
	return d.inject(f)
}

// look returns the condition, whether the SCM answers its host or not.
func (d *Device) look() (condition, error) {
	s, err := d.refresh()
	if err != nil {
		return condition{}, err
	}
	return s.condition, nil
}

// pollPause is between two looks at the condition, because nothing tells one
// process what another has done.
const pollPause = 5 * time.Millisecond

// await returns when something has happened. ErrTimeout when it has not within
// the time given; 0 does not wait.
func (d *Device) await(timeout time.Duration, happened func(*condition) bool) error {
	deadline := time.Now().Add(timeout)
	for {
		s, err := d.answering()
		if err != nil {
			return err
		}
		if happened(&s.condition) {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return scm.ErrTimeout
		}
		d.pause(min(left, pollPause))
	}
}
