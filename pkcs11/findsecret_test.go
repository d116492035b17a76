// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// searchFor returns all that C_FindObjects finds.
func (f *fixture) searchFor(list []Attribute) []uint {
	f.Helper()
	f.ok(f.FindObjectsInit(f.h, list))
	found := make([]uint, 100)
	n, err := f.FindObjects(f.h, found)
	f.ok(err)
	f.ok(f.FindObjectsFinal(f.h))
	return found[:n]
}

// TestFindBySecret finds keys by what is secret of them, where it is shown, and nothing where it is not.
func TestFindBySecret(t *testing.T) {
	f := newSealing(t)
	shown := []any{CKA_SENSITIVE, false, CKA_EXTRACTABLE, true}
	for _, onToken := range []bool{false, true} {
		more := append([]any{CKA_TOKEN, onToken}, shown...)
		_, rsa := f.rsaPair(nil, more)
		_, ec := f.pairOn(scm.P256, more...)
		_, kem, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, uint(CKP_ML_KEM_768)), is(more...))
		f.ok(err)
		aes := f.create(secretTemplate(CKK_AES, append(more, CKA_VALUE, make([]byte, 16), CKA_PRIVATE, true)...))
		for key, types := range map[uint][]uint{
			rsa: {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT},
			ec:  {CKA_VALUE}, kem: {CKA_SEED}, aes: {CKA_VALUE},
		} {
			for _, typ := range types {
				secret := f.value(key, typ)
				if found := f.searchFor(is(typ, secret)); !slices.Equal(found, []uint{key}) {
					t.Errorf("%s of %d finds %v", AttributeName(typ), key, found)
				}
				if found := f.searchFor(is(typ, secret, CKA_CLASS, uint(CKO_DATA))); len(found) != 0 {
					t.Errorf("%s with another class finds %v", AttributeName(typ), found)
				}
				secret[0] ^= 1
				if found := f.searchFor(is(typ, secret)); len(found) != 0 {
					t.Errorf("another %s finds %v", AttributeName(typ), found)
				}
				secret[0] ^= 1
				f.ok(f.SetAttributeValue(f.h, key, is(CKA_LABEL, "hidden")))
			}
			secret := f.value(key, types[0])
			f.ok(f.SetAttributeValue(f.h, key, is(CKA_SENSITIVE, true)))
			if found := f.searchFor(is(types[0], secret)); len(found) != 0 {
				t.Errorf("what is hidden of %d finds %v", key, found)
			}
		}
	}
}

// TestFindBySecretAfterLogout: a user who logs out while another thread searches is no error of the search, for which
// C_FindObjectsInit has no code.
func TestFindBySecretAfterLogout(t *testing.T) {
	f := newSealing(t)
	value := make([]byte, 16)
	key := f.create(secretTemplate(CKK_AES, CKA_TOKEN, true, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true, CKA_VALUE, value, CKA_PRIVATE, true))
	s, err := f.Provider.session(f.h)
	f.ok(err)
	o, err := s.findObject(key)
	f.ok(err)
	s.done(&err)
	search := &recordSearch{session: s, wanted: attributes{CKA_VALUE: value}, found: []uint{key}, doubtful: []*object{o}}
	f.ok(search.dropMismatches())
	if !slices.Equal(search.found, []uint{key}) {
		t.Errorf("before the logout: %v", search.found)
	}
	f.ok(f.Logout(f.h))
	f.ok(search.dropMismatches())
	if len(search.found) != 0 {
		t.Errorf("after the logout: %v", search.found)
	}
}
