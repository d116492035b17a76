// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"strings"
	"syscall"

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
func (d *Device) Info() (scm.Info, error) {
	d.mu.Lock()
	info := d.info
	d.mu.Unlock()
	if info != (scm.Info{}) {
		return info, nil
	}
	err := d.retry(func() (err error) {
		info, err = d.readInfo()
		return err
	})
	if err != nil {
		return scm.Info{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info = info
	return info, nil
}

func (d *Device) readInfo() (scm.Info, error) {
	var texts [3]string
	for _, p := range []property{model, firmware, serial} {
		s, err := d.api.text(p)
		if err != nil && !errors.Is(err, syscall.ENOSYS) { // an old library has none
			return scm.Info{}, err
		}
		texts[p] = plain(s)
	}
	info := scm.Info{Model: hardwareModel, Manufacturer: hardwareMaker, Firmware: texts[firmware], Serial: texts[serial]}
	if texts[model] == softModel {
		info.Model, info.Manufacturer = softModel, softMaker
	}
	if n := len(info.Serial); n > serialSize {
		info.Serial = info.Serial[n-serialSize:] // its end tells modules apart
	}
	return info, nil
}

// plain makes a string of the library plain ASCII, and not empty.
func plain(s string) string {
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
