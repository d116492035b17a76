// SPDX-License-Identifier: Apache-2.0

package board

import (
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// Condition is the state of the SCM beside its keys: nothing in it is secret. The flash has
// it as JSON.
type Condition struct {
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
	On       Call      // which calls they are
	HugeSlot bool      // the daemon dies when it hears the number of a slot that there cannot be
}

// FactoryCondition is that of a new SCM, whose daemon has started anew so often.
func FactoryCondition(now time.Time, daemon int) Condition {
	return Condition{
		Link:      link{Daemon: daemon},
		Perimeter: factoryPerimeter(),
		Battery:   factoryBattery(),
		Heat:      factoryHeat(),
		Motion:    factoryMotion(),
		Made:      now,
	}
}

// EmptyCondition is that of an SCM of which nothing is left but its daemon.
func EmptyCondition(daemon int) Condition {
	return Condition{Link: link{Daemon: daemon}, Destroyed: true}
}

// absence is why the SCM does not answer, whatever the time; "" when it does.
func (c *Condition) absence() string {
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

// ErrFault is the timeout of a Fault, which lasts for a number of calls.
var ErrFault = fmt.Errorf("fault: %w", scm.ErrTimeout)

// Silence returns why the SCM does not answer a host that has met this daemon, nil when it
// does.
func (c *Condition) Silence(now time.Time, daemon int) error {
	if why := c.absence(); why != "" {
		return fmt.Errorf("%s: %w", why, scm.ErrAbsent)
	}
	switch l := &c.Link; {
	case now.Before(l.Ready):
		return fmt.Errorf("still starting: %w: %w", scm.ErrAbsent, scm.ErrTimeout)
	case l.Daemon != daemon:
		return fmt.Errorf("the daemon has started anew: %w", scm.ErrAbsent)
	case c.FaultOn(AnyCall):
		return ErrFault
	case now.Before(l.Settled):
		return fmt.Errorf("still settling: %w", scm.ErrTimeout)
	}
	return nil
}

// FaultOn reports whether a Fault has the next call of a kind time out.
func (c *Condition) FaultOn(call Call) bool { return c.Link.Timeouts > 0 && c.Link.On == call }

// giveUp has the LED tell a code. Hardware starts anew after that, and answers nobody until it has.
func (b *Board) giveUp(c *Condition, code fatal) {
	now := b.now()
	c.Light.showFatal(code, now)
	if b.settings().Like == settings.LikeHardware {
		c.Link.Ready = now.Add(code.duration() + b.settings().BootDelay)
	}
}

// selfDestruct is what a self-destruct action does: in production mode every key
// is gone for good, in development mode the LED tells the code.
func (b *Board) selfDestruct(c *Condition, development, production fatal) {
	if !c.Binding.Locked {
		b.giveUp(c, development)
		return
	}
	c.Light.showFatal(production, b.now())
	c.Destroyed = true
}
