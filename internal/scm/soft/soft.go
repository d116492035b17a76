// SPDX-License-Identifier: Apache-2.0

// Package soft is an SCM in software. Its flash is a file in a directory, which
// any number of processes may use at the same time.
//
// A directory without an SCM gets a new one as from the factory: with a serial
// number of its own and keys in the permanent slots. Private keys are sealed
// there under a root key. Until the first [Device.Prepare] the root key lies in a
// file beside them; from then on it is sealed to a secret, and a copy of the
// directory gives no private key away without it.
package soft

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

// Values of Options.Seal.
const (
	SealPIN    = "pin"    // the root key is sealed to the secret of Device.Prepare
	SealDevice = "device" // the root key stays in its file, protected by its mode only
)

// defaultFirmware is a version that keeps its keys, unlike some later ones.
const defaultFirmware = "01.00.00"

// Options are the settings of a soft SCM. The zero value is right for a
// process of root.
type Options struct {
	Mode     fs.FileMode   // of the files that it makes; 0 means 0600
	Group    int           // gid of these files, -1 for that of the process
	Seal     string        // SealPIN or SealDevice; "" means SealPIN
	Firmware string        // that Info tells; "" means "01.00.00"
	Wait     time.Duration // how long to wait for other processes; 0 means 5 s
}

// Device is an open soft SCM. Besides scm.Device it is an scm.Agreer,
// scm.Placer, scm.Volatile, scm.Sealer and scm.Capable.
type Device struct {
	options Options
	file    *sharedfile.File
	rootKey rootFile
	serial  string

	mu       sync.RWMutex // guards what follows, all of it a cache but volatile
	closed   bool
	version  uint64               // of file, when flash was read
	flash    *flash               // nil when it has to be read
	root     *root                // nil when sealed
	ready    map[scm.Slot]private // keys of the flash that were used
	volatile volatileKeys
}

var _ interface {
	scm.Device
	scm.Agreer
	scm.Placer
	scm.Volatile
	scm.Sealer
	scm.Capable
} = (*Device)(nil)

// Open opens the soft SCM in dir, which is a directory that exists, and makes a
// new one when there is none. ErrReadOnly when there is none and the directory
// cannot be written; ErrDevice for a damaged one.
func Open(dir string, o Options) (*Device, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	file, err := sharedfile.Open(filepath.Join(dir, flashName), sharedfile.Options{
		Schema: schema, Mode: o.Mode, Group: o.Group, Wait: o.Wait,
	})
	if err != nil {
		return nil, fmt.Errorf("soft SCM in %s: %w", dir, fault(err))
	}
	d := &Device{options: o, file: file, rootKey: rootFile{dir, o.Mode, o.Group}}
	d.reset()
	if err := d.start(); err != nil {
		return nil, fmt.Errorf("soft SCM in %s: %w", dir, errors.Join(err, file.Close()))
	}
	return d, nil
}

func (o Options) complete() (Options, error) {
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	if o.Firmware == "" {
		o.Firmware = defaultFirmware
	}
	if o.Seal == "" {
		o.Seal = SealPIN
	}
	if o.Seal != SealPIN && o.Seal != SealDevice {
		return o, fmt.Errorf("seal is %q, not %q or %q", o.Seal, SealPIN, SealDevice)
	}
	return o, nil
}

// start makes the SCM when there is none, reads it, and finishes what a process
// that died in Unseal may have left undone.
func (d *Device) start() error {
	err := d.refresh()
	if errors.Is(err, errBlank) {
		if err := d.manufacture(); err != nil {
			return fmt.Errorf("there is none, and none can be made: %w", err)
		}
		err = d.refresh()
	}
	if err != nil {
		return err
	}
	d.serial = d.flash.serial
	d.tidy()
	return nil
}

// Info describes the device.
func (d *Device) Info() (scm.Info, error) {
	return scm.Info{
		Model:        "Soft SCM",
		Manufacturer: "zk_pkcs11",
		Serial:       d.serial,
		Firmware:     d.options.Firmware,
	}, nil
}

// Version changes whenever a process has changed the flash. It is 0 once the
// device is closed.
func (d *Device) Version() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return 0
	}
	return d.file.Version()
}

// Random fills p with random bytes. It never fails.
func (d *Device) Random(p []byte) error {
	_, err := rand.Read(p)
	return err
}

// Close forgets every key and releases the files. It does nothing the second
// time. Other methods answer ErrAbsent after it.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.reset()
	d.closed = true
	return d.file.Close()
}
