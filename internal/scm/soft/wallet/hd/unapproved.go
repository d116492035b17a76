// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/pbkdf2"
	"hash"
)

// The standards of wallets use short keys and short salts, which FIPS 140 does not approve.
// With GODEBUG=fips140=only in the environment, which is meant for others, Go refuses them
// elsewhere than here.

// authenticate returns the HMAC of parts.
func authenticate(h func() hash.Hash, key []byte, parts ...[]byte) (sum []byte) {
	fips140.WithoutEnforcement(func() {
		m := hmac.New(h, key)
		for _, p := range parts {
			m.Write(p)
		}
		sum = m.Sum(nil)
	})
	return sum
}

// stretch returns the key that PBKDF2 makes of a password.
func stretch(h func() hash.Hash, password string, salt []byte, rounds, size int) (key []byte, err error) {
	fips140.WithoutEnforcement(func() { key, err = pbkdf2.Key(h, password, salt, rounds, size) })
	return key, err
}
