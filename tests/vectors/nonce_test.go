// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"bytes"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// TestNonces signs one digest until the lower of the two s that are valid comes, as
// programs do that want no other. It comes to an end by default, and not by RFC 6979.
func TestNonces(t *testing.T) {
	for _, c := range []struct {
		settings string
		differ   bool
	}{{"", true}, {"soft.nonce = \"random\"", true}, {"soft.nonce = \"rfc6979\"", false}} {
		t.Run(c.settings, func(t *testing.T) {
			home := harness.NewHome(t)
			home.Settings(c.settings)
			home.Init()
			k := live.Load(t, home)
			s := k.User()
			for name, key := range ecdsaKeys(k, s) {
				if differ := differs(k, s, key); differ != c.differ {
					t.Errorf("%s: signatures of one digest differ: %v", name, differ)
				}
			}
		})
	}
}

// ecdsaKeys returns a key in a permanent slot and new ones of the token and, where the
// device has any, of the session.
func ecdsaKeys(k *live.Token, s pkcs11.SessionHandle) map[string]pkcs11.ObjectHandle {
	keys := map[string]pkcs11.ObjectHandle{"slot 0": k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0)}
	for name, curve := range map[string][]byte{"P-256": live.P256, "secp256k1": live.Secp256k1} {
		for _, onToken := range []bool{true, harness.OverVendor()} {
			_, key, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN),
				[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, curve)},
				[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, onToken)})
			k.OK(err)
			if !onToken {
				name += " of the session"
			}
			keys[name] = key
		}
	}
	return keys
}

// differs reports whether signatures of one digest differ.
func differs(k *live.Token, s pkcs11.SessionHandle, key pkcs11.ObjectHandle) bool {
	digest := make([]byte, 32)
	first := k.Signed(s, pkcs11.CKM_ECDSA, key, digest)
	for range 200 {
		again := k.Signed(s, pkcs11.CKM_ECDSA, key, digest)
		if !bytes.Equal(first, again) && again[32] < 0x80 {
			return true
		}
	}
	return false
}
