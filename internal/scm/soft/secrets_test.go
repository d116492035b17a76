// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

var testOptions = Options{Group: -1}

func openTest(t *testing.T, dir string) *Device {
	t.Helper()
	d, err := Open(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// secretsOf returns every private key of the device and its root key.
func secretsOf(t *testing.T, d *Device) [][]byte {
	t.Helper()
	f, err := d.current(everySlot)
	must(t, err)
	var all [][]byte
	for _, k := range f.allKeys() {
		secret, err := f.root.unsealKey(k)
		must(t, err)
		for half := range slices.Chunk(secret, secretSize) { // the private key, the chain code
			all = append(all, half)
		}
	}
	for name, blob := range f.secrets {
		secret, err := f.root.unseal(secretContext(name), blob, keySize)
		must(t, err)
		all = append(all, secret)
	}
	r := d.known.Load().root
	key, err := r.holdKey()
	must(t, err)
	defer r.mu.RUnlock()
	return append(all, bytes.Clone(key))
}

// holding names the files in dir that hold one of the secrets.
func holding(t *testing.T, dir string, secrets [][]byte) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		for _, s := range secrets {
			if bytes.Contains(content, s) {
				names = append(names, e.Name())
				break
			}
		}
	}
	return names
}

// TestNoSecretInFiles looks for every secret in every file, while the device is
// open and its log is full.
func TestNoSecretInFiles(t *testing.T) {
	dir := t.TempDir()
	d := openTest(t, dir)
	for _, c := range scm.Curves {
		_, err := d.Generate(c)
		must(t, err)
	}
	must(t, d.GenerateEphemeral(scm.P256))
	top, err := d.addWallet(scm.P256)
	must(t, err)
	_, err = d.addChild(top)
	must(t, err)
	before := secretsOf(t, d)
	if got := holding(t, dir, before); len(got) != 1 || got[0] != rootFileName {
		t.Errorf("before Prepare secrets are in %q, want %q only", got, rootFileName)
	}
	pass := []byte("a secret of the token, 32 bytes.")
	must(t, d.Prepare(pass))
	must(t, d.Unseal(pass))
	all := append(append(before, secretsOf(t, d)...), pass)
	if got := holding(t, dir, all); len(got) != 0 {
		t.Errorf("after Unseal secrets are in %q", got)
	}
	if bytes.Equal(before[len(before)-1], all[len(all)-2]) {
		t.Error("Unseal kept the root key that lay in a file")
	}
}

// edit runs a statement on the flash behind the device's back.
func edit(t *testing.T, d *Device, statement string, args ...any) {
	t.Helper()
	must(t, d.file.Update(func(tx *sql.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	}))
}

// TestTampered changes a key in the flash behind the device's back. Neither a
// device that has used the key before signs with it, nor a new one.
func TestTampered(t *testing.T) {
	const flip = `UPDATE key SET sealed = CAST(substr(sealed, 1, ?1) ||
		CASE substr(sealed, ?1 + 1, 1) WHEN x'a5' THEN x'5a' ELSE x'a5' END || substr(sealed, ?1 + 2) AS BLOB) WHERE slot = 0`
	for _, test := range []struct {
		name, statement string
		args            []any
	}{
		{"nonce", flip, []any{0}},
		{"cipher text", flip, []any{20}},
		{"tag", flip, []any{59}},
		{"cut", "UPDATE key SET sealed = substr(sealed, 1, 59) WHERE slot = 0", nil},
		{"empty", "UPDATE key SET sealed = x'' WHERE slot = 0", nil},
		{"public key", "UPDATE key SET public = (SELECT public FROM key WHERE slot = 1) WHERE slot = 0", nil},
		{"short public key", "UPDATE key SET public = x'00' WHERE slot = 0", nil},
		{"pair of another slot", "UPDATE key SET (public, sealed) = (SELECT public, sealed FROM key WHERE slot = 1) WHERE slot = 0", nil},
		{"curve", "UPDATE key SET curve = 1 WHERE slot = 0", nil},
		{"kind", "UPDATE key SET kind = 3 WHERE slot = 0", nil},
		{"unknown curve", "UPDATE key SET curve = 7 WHERE slot = 0", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openTest(t, dir)
			_, err := d.Sign(0, make([]byte, 32))
			must(t, err)
			edit(t, d, test.statement, test.args...)
			wantNoSignature(t, d)
			again, err := Open(dir, testOptions)
			if err == nil {
				defer again.Close()
				wantNoSignature(t, again)
			} else if !errors.Is(err, scm.ErrDevice) {
				t.Errorf("Open: error %v, want %v", err, scm.ErrDevice)
			}
		})
	}
}

func wantNoSignature(t *testing.T, d *Device) {
	t.Helper()
	if sig, err := d.Sign(0, make([]byte, 32)); !errors.Is(err, scm.ErrDevice) {
		t.Errorf("Sign: %x, %v; want error %v", sig, err, scm.ErrDevice)
	}
}

// TestTamperedRoot checks that a changed root key opens nothing.
func TestTamperedRoot(t *testing.T) {
	d := openTest(t, t.TempDir())
	must(t, d.Prepare([]byte("secret")))
	must(t, d.Unseal([]byte("secret")))
	edit(t, d, "UPDATE scm SET root = CAST(substr(root, 1, 59) || x'a5' AS BLOB)")
	if err := d.Unseal([]byte("secret")); !errors.Is(err, scm.ErrSecret) {
		t.Errorf("Unseal: error %v, want %v", err, scm.ErrSecret)
	}
}

// TestDamagedFiles replaces a file of the SCM by something else.
func TestDamagedFiles(t *testing.T) {
	for name, content := range map[string]string{
		flashName:    "this is no database, but long enough to be taken for one that once was, perhaps by mistake...",
		rootFileName: "short",
	} {
		dir := t.TempDir()
		must(t, openTest(t, dir).Close())
		must(t, os.RemoveAll(filepath.Join(dir, flashName+"-wal"))) // it may hold it all
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		_, err := Open(dir, testOptions)
		if !errors.Is(err, scm.ErrDevice) {
			t.Fatalf("Open with another %s: error %v, want %v", name, err, scm.ErrDevice)
		}
		if !strings.Contains(err.Error(), dir) {
			t.Errorf("error %q does not tell the directory", err)
		}
	}
}

// TestDestroyedRoot checks what calls that still hold the root key get.
func TestDestroyedRoot(t *testing.T) {
	r := newRoot()
	r.destroy()
	r.destroy()
	_, err := r.seal(nil, make([]byte, secretSize))
	if !errors.Is(err, scm.ErrSealed) {
		t.Errorf("seal: error %v, want %v", err, scm.ErrSealed)
	}
	if _, err = r.sealTo([]byte("secret")); !errors.Is(err, scm.ErrSealed) {
		t.Errorf("sealTo: error %v, want %v", err, scm.ErrSealed)
	}
}

// TestUnsealAgain unseals the device while somebody is using the root key: he
// does not notice.
func TestUnsealAgain(t *testing.T) {
	d := openTest(t, t.TempDir())
	secret := []byte("secret")
	must(t, d.Prepare(secret))
	must(t, d.Unseal(secret))
	inUse, err := d.unsealed()
	must(t, err)
	must(t, d.Unseal(secret))
	_, err = inUse.seal(nil, make([]byte, secretSize))
	must(t, err)
}
