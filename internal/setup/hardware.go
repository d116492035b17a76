// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/zymbit"
)

// ErrLibrary means that the vendor's library of an SCM in hardware does not load.
var ErrLibrary = zymbit.ErrLibrary

// vendorLibrary is the vendor's host library, by the name that the dynamic linker
// looks for.
const vendorLibrary = "libzk_app_utils.so"

// vendorPlaces are the directories in which packages put it.
var vendorPlaces = []string{
	"/usr/lib/",
	"/usr/lib/aarch64-linux-gnu/",
	"/usr/lib/arm-linux-gnueabihf/",
	"/usr/local/lib/",
}

// hardware reports whether the slot is that of a real SCM. With "auto" it is
// wherever the vendor's library is installed, or was when the token was used
// before, even when the SCM then fails: a host must not go on with keys in
// software without notice.
func (o opener) hardware() bool {
	if o.slot.Backend != config.BackendAuto {
		return o.slot.Backend == config.BackendZymbit
	}
	return o.findLibrary() != "" || o.slot.Shared != "" || zymbit.Used(o.slot.State)
}

// Placed returns the settings with the states of SCMs in hardware in the directory of all users, unless
// the settings name a directory: there is one SCM, so there is one token for all users.
func Placed(c config.Config) config.Config { return placed(c, config.SystemState) }

func placed(c config.Config, shared string) config.Config {
	if c.State != c.Source.State {
		return c
	}
	c.Slots = slices.Clone(c.Slots)
	for i := range c.Slots {
		x := opener{settings: c, slot: c.Slots[i]}
		beside, err := filepath.Rel(c.State, x.slot.State)
		if err != nil || !filepath.IsLocal(beside) || !x.inHardware(filepath.Join(shared, beside)) {
			continue
		}
		c.Slots[i].State, c.Slots[i].Shared = filepath.Join(shared, beside), shared
	}
	return c
}

// inHardware reports whether hardware is true of a slot whose state may be elsewhere.
func (o opener) inHardware(elsewhere string) bool {
	return o.hardware() || o.slot.Backend == config.BackendAuto && zymbit.Used(elsewhere)
}

// findLibrary returns the path of the vendor's library, "" when it is not
// installed. One that the settings name is looked for there only; a name without
// a slash is left to the dynamic linker.
func (o opener) findLibrary() string {
	named := o.settings.Zymbit.Library
	if named != "" && !strings.Contains(named, "/") {
		return named
	}
	places := []string{named}
	if named == "" {
		places = nil
		for _, dir := range vendorPlaces {
			places = append(places, dir+vendorLibrary)
		}
	}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// openHardware opens the SCM.
func (o opener) openHardware(a access) (scm.Device, error) {
	options := o.hardwareOptions(a)
	d, err := zymbit.Open(options)
	if err != nil {
		return nil, o.explain(err)
	}
	if missing := d.Missing(); len(missing) > 0 {
		o.log.Infof("%s is an old one, which lacks %s", options.Library, strings.Join(missing, ", "))
	}
	return d, nil
}

// hardwareOptions are what the settings say of the SCM. A library that was not found
// may be where only the dynamic linker looks; if it is not, the linker says what it
// misses.
func (o opener) hardwareOptions(a access) zymbit.Options {
	s := o.settings.Zymbit
	library := o.findLibrary()
	if library == "" {
		library = vendorLibrary
		if s.Library != "" {
			library = s.Library
		}
	}
	return zymbit.Options{
		Library: library, KeyStore: s.KeyStore, Refresh: s.Refresh,
		Foreign25519: s.Foreign25519, PassphraseBase64: s.PassphraseBase64,
		State: o.slot.State, Mode: a.file, Group: a.group, Process: o.process, Log: o.log,
	}
}

// explain says why a library that is gone is missed.
func (o opener) explain(err error) error {
	if errors.Is(err, ErrLibrary) && o.slot.Backend == config.BackendAuto && (o.slot.Shared != "" || zymbit.Used(o.slot.State)) {
		return fmt.Errorf("the token is one of an SCM in hardware: %w", err)
	}
	return err
}
