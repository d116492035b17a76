// SPDX-License-Identifier: Apache-2.0

// Package zymbit is an SCM in hardware, through the vendor's host library
// libzk_app_utils.so. The library is loaded at run time; what an old one lacks,
// the device lacks.
//
// The library cannot tell when others change the module. Devices with the same
// Options.State tell one another; what other programs change shows after
// Options.Refresh. Until then the public key of a slot is the one that was last
// read, and every signature is held against it before it is given out: a slot
// that somebody has filled with another key does not sign in the old one's place.
package zymbit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

// Values of Options.KeyStore.
const (
	KeyStoreAuto   = "auto"   // wallet for firmware that loses generated keys, keys for the rest
	KeyStoreKeys   = "keys"   // new keys are generated
	KeyStoreWallet = "wallet" // new keys are children of a wallet of ours
)

// Values of Options.Foreign25519: what the foreign keys of others are that can be on
// either curve.
const (
	Foreign25519Ask     = "ask" // Ed25519 where the module takes a signature to verify by the key
	Foreign25519Ed25519 = "ed25519"
	Foreign25519X25519  = "x25519"
)

// DefaultRefresh is Options.Refresh where that is 0.
const DefaultRefresh = 5 * time.Second

// Options are the settings of a device.
type Options struct {
	Library  string        // path of the vendor's library, or a name that the dynamic linker finds
	KeyStore string        // one of the values above; "" means KeyStoreAuto
	Refresh  time.Duration // how long the list of slots is believed; 0 means DefaultRefresh
	State    string        // directory in which devices tell one another of changes; "" means that they do not
	Mode     fs.FileMode   // of the files there; 0 means 0600
	Group    int           // gid of these files, -1 for that of the process

	Foreign25519     string // one of the values above; "" means Foreign25519Ask
	PassphraseBase64 bool   // the library takes passphrases of wallets as Base64

	Process sharedfile.Process // that the module is loaded into
	Log     Log                // nil for none
}

// Log takes lines for operators, each of which it may be told again and again.
type Log interface {
	Errorf(format string, args ...any)
	Warningf(format string, args ...any)
}

// Device is an open SCM. Besides scm.Device it is an scm.Agreer, scm.Capable,
// scm.Locker, scm.Keeper, scm.Wallet, scm.Clock and scm.Monitor, and it has
// supervised boot and makes wallets.
type Device struct {
	options Options
	changes *changes
	missing []string // functions that the library lacks

	calls   sync.Mutex // held during each use of api, and guards what follows
	api     api
	closed  bool
	present bool                 // the module has answered since it was last found gone
	silent  bool                 // the module was not there at the last call
	again   bool                 // a call is made a second time, in a new context
	unlists bool                 // the module does not list its slots
	made    map[string]scm.Curve // curves of the keys that were made or stored here, by public key
	foreign foreignKeys
	saved   memory // what the file of that name has

	recalled bool   // the firmware is that of the file
	session  string // name of the wallet of a SLIP39 session

	mu    sync.Mutex // guards what follows; taken after calls, never before
	known knowledge
	info  scm.Info // the zero value until it was read
}

var _ interface {
	scm.Device
	scm.Agreer
	scm.Capable
	scm.Locker
	scm.Keeper
	scm.Wallet
	scm.Clock
	scm.Monitor
} = (*Device)(nil)

// Open loads the vendor's library and asks the module who it is. ErrAbsent, and
// ErrLibrary, when there is no such library; ErrAbsent alone when the module does not
// answer: it may be booting, which takes it up to 150 s.
func Open(o Options) (*Device, error) {
	l, err := load(o.Library)
	if err != nil {
		return nil, libraryProblem(err.Error())
	}
	if slices.Contains(l.missing(), "zkOpen") {
		return nil, libraryProblem(o.Library + " is another library, without zkOpen")
	}
	return open(o, l)
}

func open(o Options, a api) (*Device, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	d := &Device{options: o, api: a, missing: a.missing(), made: map[string]scm.Curve{}, changes: &changes{}}
	d.known.unlisted = map[scm.Slot]bool{}
	if _, err := d.Info(); err != nil {
		d.Close()
		if timedOut(err) && !errors.Is(err, scm.ErrAbsent) {
			err = absent(err)
		}
		return nil, fmt.Errorf("opening the SCM: %w%s", err, whatToDo(err))
	}
	d.changes, err = openChanges(o) // after the first answer: the file tells that there was one
	if err != nil {
		a.close()
		return nil, err
	}
	return d, nil
}

func (o Options) complete() (Options, error) {
	switch o.KeyStore {
	case "":
		o.KeyStore = KeyStoreAuto
	case KeyStoreAuto, KeyStoreKeys, KeyStoreWallet:
	default:
		return o, fmt.Errorf("key store is %q, not %q, %q or %q", o.KeyStore, KeyStoreAuto, KeyStoreKeys, KeyStoreWallet)
	}
	switch o.Foreign25519 {
	case "":
		o.Foreign25519 = Foreign25519Ask
	case Foreign25519Ask, Foreign25519Ed25519, Foreign25519X25519:
	default:
		return o, fmt.Errorf("foreign keys are %q, not %q, %q or %q",
			o.Foreign25519, Foreign25519Ask, Foreign25519Ed25519, Foreign25519X25519)
	}
	if o.Refresh == 0 {
		o.Refresh = DefaultRefresh
	}
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	return o, nil
}

// Missing names the functions that the library lacks, as old ones do.
func (d *Device) Missing() []string { return slices.Clone(d.missing) }

func (d *Device) hasFunction(function string) bool { return !slices.Contains(d.missing, function) }

// Random fills p from the module's generator.
func (d *Device) Random(p []byte) error {
	const (
		most  = 512 // bytes that programs are known to ask for at once
		least = 32  // that every module gives
	)
	for most := most; len(p) > 0; {
		n := min(len(p), most)
		b, err := d.askRandom(n)
		switch {
		case err == nil:
			copy(p[:n], b)
			p = p[n:]
		case unable(err) && n > least:
			most = n / 2
		default:
			return err
		}
	}
	return nil
}

func (d *Device) askRandom(n int) (b []byte, err error) {
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		b, err = d.api.random(n)
	}
	return b, err
}

// Close closes the context. It does nothing the second time. Other methods
// answer ErrAbsent after it.
func (d *Device) Close() error {
	d.takeTurn()
	defer d.calls.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.forget()
	d.api.close()
	return d.changes.close()
}
