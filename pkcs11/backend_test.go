// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/zymbit"
)

// library is where make puts it.
const library = "../build/libzk_app_utils.so"

// Why tests are skipped, or expect another answer, where the provider reaches the soft SCM
// as it reaches the hardware.
const (
	noPlace     = "the vendor's C API makes a key in a slot of its own choice"
	noSession   = "the vendor's C API keeps every key pair that it makes"
	noSeal      = "the vendor's C API has no PIN, which would seal the private keys"
	noReconnect = "the driver for the hardware opens a context of the vendor's C API anew by itself, which the provider does not see"
)

// overVendor reports whether the provider uses the soft SCM through the vendor's C API, by
// the driver for the hardware: ZK_PKCS11_BACKEND=zymbit.
func overVendor() bool { return os.Getenv("ZK_PKCS11_BACKEND") == "zymbit" }

// softOnly skips a test of what the hardware path cannot do.
func softOnly(t testing.TB, why string) {
	t.Helper()
	if overVendor() {
		t.Skip(why)
	}
}

// hostIdentity is the identity of the host, by which the vendor's C API opens the soft SCM, too.
func hostIdentity() string {
	id, _ := os.ReadFile("/etc/machine-id") // there may be none
	return strings.TrimSpace(string(id))
}

// openDevice opens the soft SCM in a directory: directly, or with
// ZK_PKCS11_BACKEND=zymbit by the driver for the hardware over our own
// libzk_app_utils.so, with what that one lacks unset.
func openDevice(dir string, refresh time.Duration) (scmtest.Full, error) {
	if !overVendor() {
		return soft.Open(dir, soft.Options{Group: -1, Settings: soft.Settings{Host: hostIdentity()}})
	}
	// The library asks for it whenever it opens a context.
	if err := os.Setenv("ZK_PKCS11_HOME", dir); err != nil {
		return nil, err
	}
	d, err := zymbit.Open(zymbit.Options{Library: library, State: dir, Group: -1, Refresh: refresh})
	return driven{Device: d}, err
}

// Version is that of the driver, and higher than that of the one before it.
func (d driven) Version() uint64 { return d.before + d.Device.Version() }

// reopen has the provider go on with a driver for the hardware that knows nothing
// yet: what happens to the SCM below shows at once. The soft SCM always shows it.
func (f *fixture) reopen(refresh time.Duration) {
	f.Helper()
	if !overVendor() {
		return
	}
	if err := os.Remove(filepath.Join(f.dir, "zymbit.keys")); !os.IsNotExist(err) {
		f.ok(err)
	}
	full, err := openDevice(f.dir, refresh)
	f.ok(err)
	d := full.(driven)
	d.before = f.device.Version() + 1<<32
	f.ok(f.device.Full.Close())
	f.device.Full = d
}

// watch has the driver for the hardware look at the key slots at every call.
func (f *fixture) watch() { f.Helper(); f.reopen(time.Nanosecond) }

// world opens the soft SCM of a fixture as the world around it, which makes things
// happen.
func (f *fixture) world() *soft.Device {
	f.Helper()
	d, err := soft.Open(f.dir, soft.Options{Group: -1, Settings: soft.Settings{Host: hostIdentity()}})
	f.ok(err)
	f.Cleanup(func() { d.Close() })
	return d
}

// driven is the driver for the hardware with all the methods of a device.
type driven struct {
	*zymbit.Device
	scm.Placer
	scm.Volatile
	scm.Heritable
	scm.Sealer
	scm.Bonded
	scm.Reconnector
	before uint64 // see Version
}

// seen is the device as the provider sees it, with no more methods than it has.
func seen(d *scmtest.Faulty) scm.Device {
	if _, is := d.Full.(driven); !is {
		return d
	}
	return struct {
		scm.Device
		scm.Agreer
		scm.Capable
		scm.Locker
		scm.Keeper
		scm.Wallet
		scm.Clock
	}{d, d, d, d, d, d, d}
}
