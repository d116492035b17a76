// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestErasedIsInNoFile looks for the sealed keys that a root key of the past, or a
// secret of the past, opens.
func TestErasedIsInNoFile(t *testing.T) {
	tests := []struct {
		name  string
		erase func(*Device, scm.Key) error
	}{
		{"removed", (*Device).Remove},
		{"sealed anew", func(d *Device, _ scm.Key) error {
			if err := d.Prepare([]byte("another secret")); err != nil {
				return err
			}
			return d.Unseal([]byte("another secret"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openTest(t, dir)
			other := openTest(t, dir)
			k, err := d.Generate(scm.P256)
			must(t, err)
			_, err = other.Keys() // one that has read the log does not keep it
			must(t, err)
			known, err := d.refresh(everySlot)
			must(t, err)
			stored, err := known.keyIn(k.Slot)
			must(t, err)
			blobs := [][]byte{stored.blob}
			if len(holding(t, dir, blobs)) == 0 {
				t.Fatal("the key is in no file: the test shows nothing")
			}
			must(t, tt.erase(d, k))
			if got := holding(t, dir, blobs); len(got) != 0 {
				t.Errorf("the key is in %q still", got)
			}
		})
	}
}
