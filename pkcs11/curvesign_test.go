// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"math/big"
	"testing"

	"libzk_pkcs11/internal/softkey"
)

// imported brings a private key in that no key slot can hold, and its public key.
func (f *fixture) imported(k softkey.PrivateKey) (public, private uint) {
	f.Helper()
	a, err := publicAttributes(k.Public())
	f.ok(err)
	curve, err := softkey.ParseParams(a[CKA_EC_PARAMS])
	f.ok(err)
	keyType := curveType(curve)
	value := secretAttributes(k)[CKA_VALUE]
	private = f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, keyType, CKA_EC_PARAMS, a[CKA_EC_PARAMS], CKA_VALUE, value))
	public = f.create(is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, keyType, CKA_EC_PARAMS, a[CKA_EC_PARAMS], CKA_EC_POINT, a[CKA_EC_POINT]))
	return public, private
}

// TestSealedECDSA signs with sealed keys on all curves, by all mechanisms, and has others verify.
func TestSealedECDSA(t *testing.T) {
	f := newSealing(t)
	for _, c := range []softkey.Curve{softkey.P224, softkey.P256, softkey.P384, softkey.P521, softkey.Secp256k1} {
		k, err := softkey.GenerateEC(c)
		f.ok(err)
		public, private := f.imported(k)
		for typ, row := range curveMechanisms {
			if row.keys != ecKeys || row.sign == nil {
				continue
			}
			signature := f.signLong(&Mechanism{Type: typ}, private, digest32)
			if len(signature) != 2*c.Size() {
				t.Errorf("%s on %s: %d bytes", MechanismName(typ), c, len(signature))
			}
			want(t, MechanismName(typ), f.verify(typ, public, digest32, signature), CKR_OK)
			want(t, "cut", f.verify(typ, public, digest32, signature[1:]), CKR_SIGNATURE_LEN_RANGE)
			f.checkECDSA(public, row, signature)
			signature[9] ^= 1
			want(t, "changed", f.verify(typ, public, digest32, signature), CKR_SIGNATURE_INVALID)
		}
		want(t, "another mechanism", f.SignInit(f.h, &Mechanism{Type: CKM_EDDSA}, private), CKR_KEY_TYPE_INCONSISTENT)
	}
}

// checkECDSA has the standard library look at a signature, if it knows the curve.
func (f *fixture) checkECDSA(public uint, row mechanism, signature []byte) {
	f.Helper()
	if string(f.value(public, CKA_EC_PARAMS)) == string(softkey.Secp256k1.Params()) {
		return
	}
	digest := digest32
	if row.hash != 0 {
		h := row.hash.New()
		h.Write(digest32)
		digest = h.Sum(nil)
	}
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	if !ecdsa.Verify(f.publicOfObject(public).(*ecdsa.PublicKey), digest, r, s) {
		f.Errorf("a signature with %v is none", row.hash)
	}
}

// TestSealedEdDSA signs with a sealed key for Ed25519.
func TestSealedEdDSA(t *testing.T) {
	f := newSealing(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	f.ok(err)
	k, err := softkey.NewEdwards(key.Seed())
	f.ok(err)
	public, private := f.imported(k)
	signature := f.signLong(&Mechanism{Type: CKM_EDDSA}, private, []byte("message"))
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte("message"), signature) {
		t.Error("the signature is none")
	}
	want(t, "verify", f.verify(CKM_EDDSA, public, []byte("message"), signature), CKR_OK)
}

// TestSealedCurveSizes: where keys are sealed, mechanisms have the sizes of all curves; without, those of the device.
func TestSealedCurveSizes(t *testing.T) {
	for _, c := range []struct {
		f           *fixture
		least, most uint
	}{{newSealing(t), 224, 521}, {newUser(t), 256, 256}} {
		for _, typ := range []uint{CKM_ECDSA, CKM_ECDSA_SHA384, CKM_EC_KEY_PAIR_GEN} {
			info, err := c.f.GetMechanismInfo(0, typ)
			c.f.ok(err)
			if info.MinKeySize != c.least || info.MaxKeySize != c.most {
				t.Errorf("%s: %d to %d", MechanismName(typ), info.MinKeySize, info.MaxKeySize)
			}
		}
	}
}
