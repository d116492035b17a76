// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"sync"
	"testing"
)

// TestConcurrent: a key is for many goroutines at once, from its first use on.
func TestConcurrent(t *testing.T) {
	keys := privateKeys(t)
	k := need[*AES](t)(GenerateAES(16))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, key := range keys {
				signsAny(t, key)
			}
			useSecrets(t, k)
		})
	}
	group.Wait()
}

// useSecrets encrypts, and makes codes with several hashes.
func useSecrets(t *testing.T, k *AES) {
	t.Helper()
	message := randomBytes(100)
	p := GCM{IV: make([]byte, 12), TagBits: 128}
	for range 20 {
		sealed, err := need[Stream](t)(k.EncryptGCM(p)).Whole(nil, message)
		if err != nil {
			t.Error(err)
		}
		got, err := need[Stream](t)(k.DecryptGCM(p)).Whole(nil, sealed)
		wanted(t, "GCM", got, err, message)
		for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA3_256} {
			m, err := k.HMAC(h)
			code := signed(t, m, err, message)
			m, err = k.HMAC(h)
			if err := verified(m, err, message, code); err != nil {
				t.Error(err)
			}
		}
	}
}
