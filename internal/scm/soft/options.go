// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"io/fs"
	"time"

	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/sharedfile"
)

// Options are what a soft SCM is opened with. The zero value is right for a
// process of root, and makes an SCM that is quick and has no defects.
type Options struct {
	Settings // what kind of SCM it is

	Mode  fs.FileMode   // of the files that it makes; 0 means 0600
	Group int           // gid of these files, -1 for that of the process
	Wait  time.Duration // how long to wait for other processes; 0 means 5 s

	Process sharedfile.Process // that has the SCM open

	Existing bool   // Open makes no SCM where there is none
	Serial   string // of the SCM that Open makes, 16 hexadecimal digits; "" draws one
	ReadOnly bool   // nothing is written
}

// Settings are those of package settings.
type Settings = settings.Settings

// complete returns o with its defaults.
func (o Options) complete() (Options, error) {
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	var err error
	o.Settings, err = o.Settings.Complete()
	return o, err
}

// Options returns the options of the device, with defaults filled in.
func (d *Device) Options() Options { return d.options }

// Capacity is what the SCM tells about how many keys it has room for.
func (d *Device) Capacity() int { return d.options.MaxKeys }
