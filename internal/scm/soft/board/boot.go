// SPDX-License-Identifier: Apache-2.0

package board

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// bootState is what supervised boot has to do with.
type bootState struct {
	Policy int  // of SetBootPolicy
	Held   bool // the SCM holds itself and its host in reset
}

// BootReport is what happened when the SCM started.
type BootReport struct {
	Production bool       // it is in production mode
	Bound      bool       // this is its host
	Destroyed  bool       // its keys are gone for good
	Held       bool       // it holds itself and its host in reset
	LostKeys   []scm.Slot // keys that this firmware has lost
	Failed     []string   // files of supervised boot whose signature is wrong
	LED        LED
}

// Boot takes the power of the SCM and its host away and gives it back. A pending
// lock of the binding takes effect, thresholds and the files of supervised boot
// are looked at, the ephemeral key is gone, and keys that this firmware loses. The
// SCM answers after Settings.BootDelay.
func (b *Board) Boot() (BootReport, error) {
	var report BootReport
	err := b.memory.Change(func(keys Keys, c *Condition) (err error) {
		report, err = b.powerUp(keys, c)
		return err
	})
	return report, err
}

func (b *Board) powerUp(keys Keys, c *Condition) (r BootReport, err error) {
	now := b.now()
	c.Link = link{Ready: now.Add(b.settings().BootDelay), Daemon: c.Link.Daemon}
	if b.settings().Has(settings.DefectFirstCall) {
		c.Link.Timeouts, c.Link.On = 1, AnyCall
	}
	c.Boot.Held = false
	if c.Light = (light{Fatal: c.Light.Fatal}); !c.Destroyed {
		c.Light.Fatal = fatal{} // until its cause is found again
	}
	c.Binding.bindAtStart(b.settings().Host)
	if r.LostKeys, err = b.loseKeys(keys); err != nil {
		return r, err
	}
	b.checkBattery(c)
	b.checkHeat(c)
	b.checkPerimeter(c)
	if r.Failed, err = b.superviseBoot(keys, c); err != nil {
		return r, err
	}
	r.Production, r.Bound = c.Binding.Locked, !c.Binding.Unbound
	r.Destroyed, r.Held = c.Destroyed, c.Boot.Held
	r.LED = c.visibleLED(now)
	return r, nil
}

// loseKeys erases the keys that do not outlast a start, the ephemeral one and by
// DefectLostKeys those that were generated outside of wallets, and returns the latter.
func (b *Board) loseKeys(keys Keys) ([]scm.Slot, error) {
	if err := keys.DropEphemeral(); err != nil {
		return nil, err
	}
	if !b.settings().Has(settings.DefectLostKeys) {
		return nil, nil
	}
	return keys.DropGenerated()
}
