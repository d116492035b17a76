// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"strings"

	"libzk_pkcs11/internal/scm"
)

// What Info tells of a module, and of one in software behind the same library.
const (
	hardwareModel = "SCM"
	softModel     = "Soft SCM"
	hardwareMaker = "Zymbit"
	softMaker     = "zk_pkcs11"
	unknown       = "unknown"
	serialSize    = 16
)

// Info describes the module. It is read once.
func (d *Device) Info() (info scm.Info, err error) {
	d.mu.Lock()
	info = d.info
	d.mu.Unlock()
	if info != (scm.Info{}) {
		return info, nil
	}
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		info, err = d.readInfo()
	}
	if err != nil {
		return scm.Info{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info = info
	return info, nil
}

// readInfo asks for the serial number, and for the rest if nothing is remembered of the
// module. What the module does not tell is unknown, and not a module that fails. The caller
// holds calls.
func (d *Device) readInfo() (scm.Info, error) {
	serial, err := d.serial()
	if err != nil && !unable(err) {
		return scm.Info{}, err
	}
	if err != nil {
		if err := d.checkAlive(); err != nil {
			return scm.Info{}, err
		}
		serial = d.serialUntold(err)
	}
	if m, ok := d.options.recall(serial); ok {
		d.believe(m)
		d.recalled = true
		return scm.Info{Model: m.Model, Manufacturer: m.Maker, Serial: m.Serial, Firmware: m.Firmware}, nil
	}
	var texts [2]string
	for _, p := range []property{model, firmware} {
		s, err := d.api.text(p)
		if err != nil && !unable(err) {
			return scm.Info{}, err
		}
		texts[p] = printable(s)
	}
	info := scm.Info{Model: hardwareModel, Manufacturer: hardwareMaker, Firmware: texts[firmware], Serial: serial}
	if texts[model] == softModel {
		info.Model, info.Manufacturer = softModel, softMaker
	}
	return info, nil
}

// serial is the serial number of the module.
func (d *Device) serial() (string, error) {
	s, err := d.api.text(serial)
	if err != nil {
		return "", err
	}
	s = printable(s)
	if n := len(s); n > serialSize {
		s = s[n-serialSize:] // its end tells modules apart
	}
	return s, nil
}

// serialUntold stands in for a serial number that the module does not tell: the one that it
// told before.
func (d *Device) serialUntold(why error) string {
	m, ok := d.options.latest()
	if !ok {
		if !lacksFunction(why) {
			d.logWarning("the SCM does not tell its serial number: %v", why)
		}
		return unknown
	}
	d.logWarning("the SCM does not tell its serial number, and is taken for %s, which was here before: %v", m.Serial, why)
	return m.Serial
}

// firmwareNow asks for the firmware if it is only remembered: there may be another one since.
// What the module does not tell stays as it was. The caller holds calls.
func (d *Device) firmwareNow() {
	if !d.recalled {
		return
	}
	text, err := d.api.text(firmware)
	if err != nil {
		return
	}
	d.recalled = false
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info.Firmware = printable(text)
}

// printable makes a string of the library plain ASCII, and not empty.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if s == "" {
		return unknown
	}
	return s
}
