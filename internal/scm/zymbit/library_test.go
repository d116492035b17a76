// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/tests/harness"
)

func TestMain(m *testing.M) {
	processtest.Main(m, map[string]processtest.Role{"sign": signForOthers, "storm": signInStorm})
}

// ownLibrary returns settings for our own libzk_app_utils.so with a new soft SCM
// behind it.
func ownLibrary(t *testing.T) Options {
	t.Helper()
	home := harness.NewHome(t)
	settings := os.Getenv("ZK_PKCS11_CONF") // of the test, if it has some
	home.Export(t)
	t.Setenv("ZK_PKCS11_CONF", settings)
	return Options{
		Library: harness.Build(t, "libzk_app_utils.so"),
		State:   home.Dir,
		Group:   -1,
		Refresh: time.Hour, // what shows before is no work of the clock's
	}
}

// settingsFile makes a file of settings.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openOwn(t *testing.T, o Options) *Device {
	t.Helper()
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device { return openOwn(t, ownLibrary(t)) }, scmtest.Options{})
}

func TestShared(t *testing.T) {
	o := ownLibrary(t)
	scmtest.RunShared(t, openOwn(t, o), openOwn(t, o))
}

// signForOthers signs with the slots that it is told, with a device of its own.
func signForOthers(state string, in *bufio.Scanner) error {
	d, err := Open(Options{Library: state, Refresh: time.Hour, Group: -1})
	if err != nil {
		return err
	}
	defer d.Close()
	for in.Scan() {
		var s scm.Slot
		if _, err := fmt.Sscan(in.Text(), &s); err != nil {
			return err
		}
		sig, err := d.Sign(s, make([]byte, 32))
		if err != nil {
			return err
		}
		fmt.Printf("%x\n", sig)
	}
	return nil
}

// TestOtherProcess checks that a key of one process signs in another.
func TestOtherProcess(t *testing.T) {
	o := ownLibrary(t)
	d := openOwn(t, o)
	k, err := d.Generate(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "sign", o.Library)
	p.Tell(fmt.Sprint(k.Slot))
	var sig []byte
	if _, err := fmt.Sscanf(p.Hear(), "%x", &sig); err != nil {
		t.Fatal(err)
	}
	if err := scmtest.Verify(k, make([]byte, 32), sig); err != nil {
		t.Error(err)
	}
	if err := p.End(); err != nil {
		t.Error(err)
	}
}

func TestOwnLibraryIsComplete(t *testing.T) {
	if missing := openOwn(t, ownLibrary(t)).Missing(); len(missing) != 0 {
		t.Errorf("the library lacks %v", missing)
	}
}

// TestNames checks that a soft SCM behind the library does not pass for hardware.
func TestNames(t *testing.T) {
	info, err := openOwn(t, ownLibrary(t)).Info()
	if err != nil || info.Model != "Soft SCM" || info.Manufacturer != "zk_pkcs11" {
		t.Errorf("got %+v, %v", info, err)
	}
}
