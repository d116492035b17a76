// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"testing"
)

type wrapping struct {
	name         string
	wrap, unwrap func([]byte) (Stream, error)
	initial      int
}

func wrappings(k *AES) []wrapping {
	return []wrapping{
		{"KEY_WRAP", k.Wrap, k.Unwrap, 8},
		{"KEY_WRAP_KWP", k.WrapPadded, k.UnwrapPadded, 4},
		{"KEY_WRAP_PKCS7", k.WrapPKCS7, k.UnwrapPKCS7, 8},
	}
}

// TestWrapped: all lengths, the usual initial value and another, and no change goes unseen.
func TestWrapped(t *testing.T) {
	k := need[*AES](t)(GenerateAES(32))
	for _, w := range wrappings(k) {
		for _, initial := range [][]byte{nil, randomBytes(w.initial)} {
			for n := range 70 {
				message := randomBytes(n)
				wrapped, err := begun(func() (Stream, error) { return w.wrap(initial) }).both(t, message, 3)
				if err != nil {
					if fits := w.name != "KEY_WRAP" && n > 7 || w.name == "KEY_WRAP" && n >= 16 && n%8 == 0; fits || err != ErrLength {
						t.Errorf("%s of %d bytes: %v", w.name, n, err)
					}
					continue
				}
				got, err := begun(func() (Stream, error) { return w.unwrap(initial) }).both(t, wrapped, 5)
				wanted(t, w.name, got, err, message)
				w.damaged(t, initial, wrapped)
			}
		}
	}
}

func (w *wrapping) damaged(t *testing.T, initial, wrapped []byte) {
	t.Helper()
	unwrap := func(b []byte) error {
		out, err := need[Stream](t)(w.unwrap(initial)).Whole(nil, b)
		if out != nil {
			t.Errorf("%s: %x of what was changed", w.name, out)
		}
		return err
	}
	changes(wrapped, func(i int, changed []byte) {
		if err := unwrap(changed); err != ErrData {
			t.Errorf("%s, byte %d: %v", w.name, i, err)
		}
	})
	for n := range len(wrapped) {
		if err := unwrap(wrapped[:n]); err != ErrData && err != ErrLength {
			t.Errorf("%s, cut to %d: %v", w.name, n, err)
		}
	}
	if err := unwrap(append(bytes.Clone(wrapped), make([]byte, 8)...)); err != ErrData {
		t.Errorf("%s, longer: %v", w.name, err)
	}
}

func TestInitialValues(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	for _, w := range wrappings(k) {
		for n := 1; n < 10; n++ {
			if n == w.initial {
				continue
			}
			_, err := w.wrap(make([]byte, n))
			refused(t, w.name, err, ErrParameter)
			_, err = w.unwrap(make([]byte, n))
			refused(t, w.name, err, ErrParameter)
		}
		wrapped := need[[]byte](t)(need[Stream](t)(w.wrap(nil)).Whole(nil, make([]byte, 16)))
		_, err := need[Stream](t)(w.unwrap(make([]byte, w.initial))).Whole(nil, wrapped)
		refused(t, "another initial value", err, ErrData)
		_, err = need[Stream](t)(w.wrap(nil)).Whole(nil, make([]byte, longestWrapped+1))
		refused(t, "too long", err, ErrLength)
	}
}

// TestPaddedLengths: a length that is told wrong, and padding that is not zeros, under a right initial value.
func TestPaddedLengths(t *testing.T) {
	k := need[*AES](t)(GenerateAES(16))
	block, _ := k.ciphers()
	for _, v := range []struct {
		told uint32
		size int
		last byte
	}{{0, 16, 0}, {8, 16, 0}, {17, 16, 0}, {9, 16, 1}, {15, 16, 1}, {1 << 31, 16, 0}, {1<<32 - 1, 16, 0}, {0, 8, 0}, {9, 8, 0}, {1, 8, 1}} {
		b := append(unhex(t, "a65959a6"), byte(v.told>>24), byte(v.told>>16), byte(v.told>>8), byte(v.told))
		b = append(b, make([]byte, v.size)...)
		b[len(b)-1] = v.last
		if len(b) == 16 {
			block.Encrypt(b, b)
		} else {
			wrapRounds(block, b)
		}
		_, err := need[Stream](t)(k.UnwrapPadded(nil)).Whole(nil, b)
		refused(t, "padding", err, ErrData)
	}
}
