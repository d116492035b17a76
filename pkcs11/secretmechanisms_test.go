// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/hmac"
	"testing"
)

func hmacExamples(all map[uint]examples) {
	for typ, row := range secretMechanisms {
		if row.params != nil {
			all[typ] = macSizes(typ, uint(row.hash.Size()))
		}
	}
}

// TestHMAC: codes are those of the standard library, of keys for one hash and of generic secrets.
func TestHMAC(t *testing.T) {
	f := newSealing(t)
	generic, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_GENERIC_SECRET_KEY_GEN}, is(append(usable(), CKA_VALUE_LEN, uint(20))...))
	f.ok(err)
	for typ, row := range secretMechanisms {
		if row.generateKey == nil || typ == CKM_GENERIC_SECRET_KEY_GEN {
			continue
		}
		key, err := f.GenerateKey(f.h, &Mechanism{Type: typ}, is(append(usable(), CKA_VALUE_LEN, uint(24))...))
		f.ok(err)
		f.reads(key, CKA_KEY_TYPE, row.keys.types[0])
		f.reads(key, CKA_KEY_GEN_MECHANISM, typ)
		for mac, r := range secretMechanisms {
			m := Mechanism{Type: mac}
			if r.params != nil {
				m.Parameter = numbersOf(10)
			}
			switch {
			case r.sign == nil:
				continue
			case r.hash != row.hash:
				want(t, "a key for another hash", f.SignInit(f.h, &m, key), CKR_KEY_TYPE_INCONSISTENT)
				continue
			}
			for _, k := range []uint{key, generic} {
				h := hmac.New(row.hash.New, f.value(k, CKA_VALUE))
				h.Write(digest32)
				wanted := h.Sum(nil)
				if r.params != nil {
					wanted = wanted[:10]
				}
				if got := f.signLong(&m, k, digest32); !bytes.Equal(got, wanted) {
					t.Errorf("%s: %x, want %x", MechanismName(mac), got, wanted)
				}
			}
		}
	}
}

// TestSecretSizes: secrets have up to 65536 bytes.
func TestSecretSizes(t *testing.T) {
	f := newSealing(t)
	for _, typ := range []uint{CKM_GENERIC_SECRET_KEY_GEN, CKM_SHA256_KEY_GEN} {
		for n, code := range map[uint]Error{
			0: CKR_ATTRIBUTE_VALUE_INVALID, 1: CKR_OK, 1 << 16: CKR_OK, 1<<16 + 1: CKR_ATTRIBUTE_VALUE_INVALID, ^uint(0): CKR_ATTRIBUTE_VALUE_INVALID,
		} {
			_, err := f.GenerateKey(f.h, &Mechanism{Type: typ}, is(CKA_VALUE_LEN, n))
			want(t, "size", err, code)
		}
		_, err := f.GenerateKey(f.h, &Mechanism{Type: typ}, nil)
		want(t, "no size", err, CKR_TEMPLATE_INCOMPLETE)
	}
}
