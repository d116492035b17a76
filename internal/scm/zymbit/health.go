// SPDX-License-Identifier: Apache-2.0

package zymbit

import "libzk_pkcs11/internal/scm"

// Health asks the module for all that it tells of itself. What it refuses to tell, or
// an old library cannot, stays nil.
func (d *Device) Health() (scm.Health, error) {
	var h scm.Health
	d.takeTurn()
	defer d.calls.Unlock()
	if _, err := d.listSlots(); err != nil { // which finds a dead context
		return h, err
	}
	d.firmwareNow()
	d.readMeters(&h)
	return h, nil
}

// readMeters adds what can be read. What cannot is not there.
func (d *Device) readMeters(h *scm.Health) {
	if production, bound, err := d.api.binding(); err == nil {
		h.Production, h.Bound = &production, &bound
	}
	if v, err := d.api.volts(); err == nil {
		h.Volts = &v
	}
	if v, err := d.api.celsius(); err == nil {
		h.Celsius = &v
	}
	if v, err := d.api.breaches(); err == nil {
		h.Events = v
	}
}
