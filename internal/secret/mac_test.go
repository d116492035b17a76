// SPDX-License-Identifier: Apache-2.0

package secret_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"fmt"
	"hash"
	"testing"

	"libzk_pkcs11/internal/secret"
)

func TestMAC(t *testing.T) {
	for _, keySize := range []int{0, 1, 32, 64, 65, 200} {
		key, data := bytes.Repeat([]byte{7}, keySize), bytes.Repeat([]byte("data"), 100)
		h := hmac.New(sha256.New, key)
		h.Write(data)
		if got := secret.MAC(key, data[:3], nil, data[3:]); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Errorf("key of %d bytes: %x, want %x", keySize, got, h.Sum(nil))
		}
		h = hmac.New(sha512.New384, key)
		h.Write(data)
		if got := secret.MAC384(key, data); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Errorf("SHA-384, key of %d bytes: %x, want %x", keySize, got, h.Sum(nil))
		}
	}
}

func TestDerive(t *testing.T) {
	for _, size := range []int{1, 32, 33, 80} {
		for _, salt := range []string{"", "salt"} {
			got := make([]byte, size)
			secret.Derive(got, []byte("a secret"), []byte(salt), "purpose")
			want, err := hkdf.Key(sha256.New, []byte("a secret"), []byte(salt), "purpose", size)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, salt %q: %x, want %x", size, salt, got, want)
			}
		}
	}
}

// TestForget looks into the memory of hashes, as far as their printed form shows it.
func TestForget(t *testing.T) {
	for _, h := range []hash.Hash{sha256.New(), sha512.New(), sha3.New224(), sha3.New512()} {
		fresh := h.Sum(nil)
		h.Write(bytes.Repeat([]byte{171}, h.BlockSize()-1))
		secret.Forget(h)
		if n := bytes.Count(fmt.Append(nil, h), []byte("171 171")); n > 0 {
			t.Errorf("%T holds what was written to it", h)
		}
		if !bytes.Equal(h.Sum(nil), fresh) {
			t.Errorf("%T is not as it was", h)
		}
	}
}

func TestAppend(t *testing.T) {
	small := append(make([]byte, 0, 4), "1234"...)
	b := secret.Append(small, []byte("5678")...)
	if string(b) != "12345678" || !bytes.Equal(small, make([]byte, 4)) {
		t.Errorf("%q, and %q before", b, small)
	}
}

func TestMask(t *testing.T) {
	m := secret.NewMask()
	for _, size := range []int{0, 1, 31, 32, 33, 1000} {
		b, out := bytes.Repeat([]byte{'x'}, size), make([]byte, size)
		x := m.Hide(b)
		if size > 8 && bytes.Contains(fmt.Append(nil, x), []byte("120 120 120 120")) {
			t.Errorf("%d bytes are not masked", size)
		}
		if !m.Show(out, x) || !bytes.Equal(out, b) || x.Size() != size {
			t.Errorf("%d bytes: shown as %q", size, out)
		}
	}
	x := m.Hide([]byte("secret"))
	m.Destroy()
	m.Destroy()
	if m.Show(make([]byte, 6), x) {
		t.Error("a destroyed mask shows something")
	}
}

// TestTwoMasked checks that no two secrets have the same mask.
func TestTwoMasked(t *testing.T) {
	m := secret.NewMask()
	defer m.Destroy()
	a, b := m.Hide(make([]byte, 32)), m.Hide(make([]byte, 32))
	if fmt.Sprint(a) == fmt.Sprint(b) {
		t.Error("two secrets are masked alike")
	}
}

func TestShowMakesNoObjects(t *testing.T) {
	m := secret.NewMask()
	defer m.Destroy()
	x, out := m.Hide(make([]byte, 32)), make([]byte, 32)
	if n := testing.AllocsPerRun(100, func() { m.Show(out, x) }); n > 0 {
		t.Errorf("it makes %v objects", n)
	}
}
