// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/damagetest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
)

// FuzzFiles damages a file of a sealed soft SCM. It may not open any more, but a signature that
// it gives is of the key that is in the slot.
func FuzzFiles(f *testing.F) {
	dir, pass := f.TempDir(), []byte("the token's secret")
	d, err := soft.Open(dir, options)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519} {
		if _, err := d.Generate(c); err != nil {
			f.Fatal(err)
		}
	}
	if err := seal(d, pass); err != nil {
		f.Fatal(err)
	}
	if err := d.Close(); err != nil {
		f.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for i, name := range names {
		names[i] = filepath.Base(name)
		f.Add(uint8(i), uint32(0), uint32(0), bytes.Repeat([]byte{0}, 32))
		f.Add(uint8(i), uint32(100), uint32(0), []byte{0xff})
		f.Add(uint8(i), uint32(4096), uint32(4096), []byte("x"))
		f.Add(uint8(i), uint32(0), uint32(1), []byte{})
	}
	f.Fuzz(func(t *testing.T, file uint8, at, length uint32, patch []byte) {
		damaged := damagetest.Copy(t, dir, names[int(file)%len(names)], at, length, patch)
		d, err := soft.Open(damaged, soft.Options{Group: -1, Wait: 2 * time.Second})
		if err != nil {
			return
		}
		defer d.Close()
		_ = d.Unseal(pass)
		signAll(t, d)
	})
}

// signAll signs with every key of a device that may be damaged.
func signAll(t *testing.T, d *soft.Device) {
	digest := bytes.Repeat([]byte{7}, 32)
	keys, err := d.Keys()
	if err != nil {
		return
	}
	for _, k := range keys {
		signature, err := d.Sign(k.Slot, digest)
		if err != nil || k.Curve == scm.X25519 {
			continue
		}
		if err := scmtest.Verify(k, digest, signature); err != nil {
			t.Errorf("slot %d signs wrongly: %v", k.Slot, err)
		}
	}
}
