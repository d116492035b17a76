// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"

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
// SCM answers after Options.BootDelay.
func (d *Device) Boot() (BootReport, error) {
	var report BootReport
	err := d.change(func(tx *sql.Tx, c *condition) (err error) {
		report, err = d.powerUp(tx, c)
		return err
	})
	return report, err
}

func (d *Device) powerUp(tx *sql.Tx, c *condition) (BootReport, error) {
	var r BootReport
	now := d.clock()
	c.Link = link{Ready: now.Add(d.options.BootDelay), Daemon: c.Link.Daemon}
	if d.options.Has(settings.DefectFirstCall) {
		c.Link.Timeouts = 1
	}
	c.Light, c.Boot.Held = light{Fatal: c.Light.Fatal}, false
	c.Binding.bind(d.options.Host)
	for _, step := range []func(*sql.Tx, *condition, *BootReport) error{
		d.forgetKeys,
		func(tx *sql.Tx, c *condition, _ *BootReport) error { return d.checkBattery(tx, c) },
		func(tx *sql.Tx, c *condition, _ *BootReport) error { return d.checkHeat(tx, c) },
		d.superviseBoot,
	} {
		if err := step(tx, c, &r); err != nil {
			return r, err
		}
	}
	r.Production, r.Bound = c.Binding.Locked, !c.Binding.Unbound
	r.Destroyed, r.Held = c.Destroyed, c.Boot.Held
	r.LED = c.led(now)
	return r, nil
}

// forgetKeys drops the keys that do not outlast a start: the ephemeral one, and by
// settings.DefectLostKeys those that were generated outside of wallets.
func (d *Device) forgetKeys(tx *sql.Tx, _ *condition, r *BootReport) error {
	if err := dropEphemeral(tx); err != nil {
		return err
	}
	if !d.options.Has(settings.DefectLostKeys) {
		return nil
	}
	const lost = " FROM key WHERE slot >= ? AND kind = ?"
	err := each(tx, "SELECT slot"+lost+" ORDER BY slot", func(rows *sql.Rows) error {
		var s scm.Slot
		err := rows.Scan(&s)
		r.LostKeys = append(r.LostKeys, s)
		return err
	}, int(scm.FirstUser), int(plainKey))
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE"+lost, int(scm.FirstUser), int(plainKey))
	return err
}
