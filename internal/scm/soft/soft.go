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
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/sharedfile"
	"libzk_pkcs11/internal/turn"
)

// Device is an open soft SCM. Besides scm.Device it is an scm.Agreer,
// scm.Placer, scm.Volatile, scm.Heritable, scm.Sealer, scm.Capable, scm.Locker, scm.Keeper,
// scm.Wallet, scm.Stamper, scm.Bonded and scm.Clock.
type Device struct {
	*board.Board

	options Options
	file    *sharedfile.File
	rootKey rootFile
	queue   *sharedfile.Lock // of calls that take their time; nil: they do not wait for each other
	serial  string
	clock   func() time.Time
	daemon  atomic.Int64 // the daemon to which this device was opened

	counted atomic.Uint64 // see Counted
	saw     atomic.Uint64 // see Saw

	known atomic.Pointer[snapshot] // never nil
	mu    sync.Mutex               // held for a moment, to replace known

	sealing turn.RWMutex // held while this process seals the device, or opens or closes it
	reading sync.Mutex   // held while it reads the flash; tried, never waited for
}

var _ interface {
	scm.Device
	scm.Agreer
	scm.Placer
	scm.Volatile
	scm.Heritable
	scm.Sealer
	scm.Capable
	scm.Locker
	scm.Keeper
	scm.Wallet
	scm.Stamper
	scm.Bonded
	scm.Clock
} = (*Device)(nil)

// Open opens the soft SCM in dir, which is a directory that exists, and makes a
// new one when there is none. ErrNone when Options say that there has to be one; ErrReadOnly
// when there is none and the directory cannot be written; ErrDevice for a damaged one.
func Open(dir string, o Options) (*Device, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	file, err := sharedfile.Open(filepath.Join(dir, flashName), sharedfile.Options{
		Schema: schema + format2, Upgrades: []string{format2}, Parts: flashSize,
		Mode: o.Mode, Group: o.Group, Wait: o.Wait, Process: o.Process, Existing: o.Existing, ReadOnly: o.ReadOnly,
	})
	if errors.Is(err, sharedfile.ErrMissing) {
		return nil, fmt.Errorf("%w: %w", scm.ErrNone, err)
	}
	if err != nil {
		return nil, fmt.Errorf("soft SCM in %s: %w", dir, deviceError(err))
	}
	d := &Device{
		options: o, file: file, rootKey: rootFile{dir, o.Mode, o.Group}, queue: o.openQueue(dir), clock: time.Now,
	}
	d.Board = board.New(memory{d})
	d.known.Store(newSnapshot())
	d.sealing.Pause = o.Process.Pause
	if err := d.startUp(); err != nil {
		return nil, fmt.Errorf("soft SCM in %s: %w", dir, errors.Join(err, d.queue.Close(), file.Close()))
	}
	return d, nil
}

// startUp makes the SCM when there is none, reads it, and finishes what a process
// that died in Unseal may have left undone.
func (d *Device) startUp() error {
	s, err := d.refresh(everySlot)
	if errors.Is(err, errBlank) {
		if d.options.Existing {
			return fmt.Errorf("%w: %w", scm.ErrNone, err)
		}
		if err := d.manufacture(); err != nil {
			return fmt.Errorf("there is none, and none can be made: %w", err)
		}
		s, err = d.refresh(everySlot)
	}
	if err != nil {
		return err
	}
	d.serial = s.serial
	d.daemon.Store(int64(s.condition.Link.Daemon))
	if s.sealed != nil || s.condition.Destroyed {
		d.removeRootFile()
	}
	if s.condition.Destroyed {
		d.purgeLog()
	}
	return nil
}

const modelName = "Soft SCM"

// Info describes the device, also one that has destroyed its keys.
func (d *Device) Info() (scm.Info, error) {
	if _, err := d.answering(); err != nil {
		return scm.Info{}, err
	}
	return d.options.describe(d.serial), nil
}

func (o Options) describe(serial string) scm.Info {
	return scm.Info{Model: modelName, Manufacturer: "zk_pkcs11", Serial: serial, Firmware: o.Firmware}
}

// Version changes whenever a process has changed the flash. It is 0 once the
// device is closed.
func (d *Device) Version() uint64 {
	if d.known.Load().closed {
		return 0
	}
	return d.file.Version()
}

// Random fills p with random bytes.
func (d *Device) Random(p []byte) error {
	if most := d.options.MaxRandom; most > 0 && len(p) > most {
		return fmt.Errorf("%d random bytes at once: %w", len(p), scm.ErrInput)
	}
	if _, err := d.answering(); err != nil {
		return err
	}
	d.waitLatency(d.options.Latency.Random)
	rand.Read(p)
	return nil
}

// Close forgets every key and releases the files. It does nothing the second
// time. Other methods return ErrAbsent after it.
func (d *Device) Close() error {
	d.sealing.Lock()
	defer d.sealing.Unlock()
	if d.known.Load().closed {
		return nil
	}
	var old *root
	d.replace(func(s *snapshot) {
		old = s.forget()
		s.closed = true
	})
	old.destroy()
	return errors.Join(d.queue.Close(), d.file.Close())
}
