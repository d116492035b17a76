// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
)

func testSign(t *testing.T, d scm.Device) {
	t.Run("permanent", func(t *testing.T) {
		for _, k := range keys(t, d)[:scm.PermanentSlots] {
			checkSigns(t, d, k)
		}
	})
	curves(t, d, signs, func(t *testing.T, c scm.Curve) {
		k := generate(t, d, c)
		// More than one signature, because r or s begins with a zero byte in
		// one of 128 only.
		for range 8 {
			checkSigns(t, d, k)
		}
	})
	t.Run("digest of zeros", func(t *testing.T) {
		sig, err := d.Sign(0, make([]byte, 32))
		if err == nil {
			err = Verify(keys(t, d)[0], make([]byte, 32), sig)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// checkSigns checks one signature of the key in k's slot.
func checkSigns(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	m := message(fmt.Sprintf("signed by slot %d", k.Slot))
	sig, err := d.Sign(k.Slot, m)
	if err != nil {
		t.Errorf("Sign(%d): %v", k.Slot, err)
		return
	}
	if err := Verify(k, m, sig); err != nil {
		t.Errorf("slot %d, %s: %v", k.Slot, k.Curve, err)
	}
	if Verify(k, message("another"), sig) == nil {
		t.Errorf("slot %d: signature is valid for another message", k.Slot)
	}
}

func testSignLengths(t *testing.T, d scm.Device) {
	curves(t, d, generates, func(t *testing.T, c scm.Curve) {
		k := generate(t, d, c)
		able := capability(d, c)
		for _, n := range []int{0, 1, 31, 32, 33, 64, 5000} {
			m := bytes.Repeat([]byte{0xa5}, n)
			sig, err := d.Sign(k.Slot, m)
			switch {
			case !able.Sign:
				wantError(t, "Sign", err, scm.ErrCurve)
			case able.Message != 0 && able.Message != n:
				wantError(t, fmt.Sprintf("Sign of %d bytes", n), err, scm.ErrInput)
			case err != nil:
				t.Errorf("Sign of %d bytes: %v", n, err)
			default:
				if err := Verify(k, m, sig); err != nil {
					t.Errorf("Sign of %d bytes: %v", n, err)
				}
			}
		}
	})
}

func testRandom(t *testing.T, d scm.Device) {
	a, b := make([]byte, 1000), make([]byte, 1000)
	for _, p := range [][]byte{a, b, nil} {
		if err := d.Random(p); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(a, b) {
		t.Error("twice the same bytes")
	}
	// Of 1000 random bytes each value is missing with a chance of 2%, and
	// more than 200 values never.
	values := make(map[byte]bool)
	for _, v := range a {
		values[v] = true
	}
	if len(values) < 200 {
		t.Errorf("only %d different bytes among 1000", len(values))
	}
}

func testConcurrency(t *testing.T, d scm.Device) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { churn(t, d) })
	}
	group.Wait()
	checkOrder(t, keys(t, d))
}

// churn makes, uses and removes keys while others do so too.
func churn(t *testing.T, d scm.Device) {
	for i := range 8 {
		k, err := d.Generate(scm.P256)
		if err != nil {
			t.Errorf("Generate: %v", err)
			return
		}
		checkSigns(t, d, k)
		checkSame(t, d, k)
		if _, err := d.Sign(scm.Slot(i), message("")); err != nil {
			t.Errorf("Sign(%d): %v", i, err)
		}
		if err := d.Remove(k); err != nil {
			t.Errorf("Remove(%d): %v", k.Slot, err)
		}
	}
}

func testClose(t *testing.T, d scm.Device) {
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := d.Keys()
	wantError(t, "Keys after Close", err, scm.ErrAbsent)
	_, err = d.PublicKey(0)
	wantError(t, "PublicKey after Close", err, scm.ErrAbsent)
	_, err = d.Sign(0, make([]byte, 32))
	wantError(t, "Sign after Close", err, scm.ErrAbsent)
	_, err = d.Generate(scm.P256)
	wantError(t, "Generate after Close", err, scm.ErrAbsent)
	wantError(t, "Remove after Close", d.Remove(scm.Key{Slot: scm.FirstUser}), scm.ErrAbsent)
	d.Version()
	if err := d.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
