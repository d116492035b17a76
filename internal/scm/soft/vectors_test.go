// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/secret"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustParse(t *testing.T, c scm.Curve, key string) *private {
	t.Helper()
	public, err := publicOf(c, unhex(t, key))
	if err != nil {
		t.Fatal(err)
	}
	mask := secret.NewMask()
	t.Cleanup(mask.Destroy)
	return newPrivate(c, public, unhex(t, key), mask)
}

// TestEd25519Vectors has the vectors of RFC 8032, section 7.1.
func TestEd25519Vectors(t *testing.T) {
	for _, v := range []struct{ seed, public, message, signature string }{
		{
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			"",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			"72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
		{
			"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
			"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
		},
	} {
		k := mustParse(t, scm.Ed25519, v.seed)
		if got, want := k.public, unhex(t, v.public); !bytes.Equal(got, want) {
			t.Errorf("seed %s: public key %x, want %x", v.seed, got, want)
		}
		message := unhex(t, v.message)
		sig, err := k.signMessage(settings.NonceRFC6979, message)
		if err != nil || !bytes.Equal(sig, unhex(t, v.signature)) {
			t.Errorf("message %q: signature %x, %v; want %s", v.message, sig, err, v.signature)
		}
		pub := scm.Key{Curve: scm.Ed25519, Public: k.public}
		if err := scmtest.Verify(pub, message, unhex(t, v.signature)); err != nil {
			t.Errorf("message %q: %v", v.message, err)
		}
	}
}

// TestRFC6979 has the signatures with SHA-256 of RFC 6979, A.2.5.
func TestRFC6979(t *testing.T) {
	key := mustParse(t, scm.P256, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	for message, want := range map[string]string{
		"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
			"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
		"test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367" +
			"019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
	} {
		digest := sha256.Sum256([]byte(message))
		sig, err := key.signMessage(settings.NonceRFC6979, digest[:])
		if err != nil || !bytes.Equal(sig, unhex(t, want)) {
			t.Errorf("%s: %x, %v", message, sig, err)
		}
	}
}

// TestPublicKeys has the P-256 pair of RFC 6979, appendix A.2.5, the generator
// of secp256k1 (SEC 2, section 2.4.1), and Alice's X25519 pair of RFC 7748,
// section 6.1.
func TestPublicKeys(t *testing.T) {
	for _, v := range []struct {
		curve          scm.Curve
		secret, public string
	}{
		{
			scm.P256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
			"60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
		},
		{
			scm.Secp256k1, "0000000000000000000000000000000000000000000000000000000000000001",
			"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
		},
		{
			scm.X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
			"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		},
	} {
		if got := mustParse(t, v.curve, v.secret).public; hex.EncodeToString(got) != v.public {
			t.Errorf("%s: public key %x, want %s", v.curve, got, v.public)
		}
	}
}

// TestX25519Vector is the rest of RFC 7748, section 6.1.
func TestX25519Vector(t *testing.T) {
	alice := mustParse(t, scm.X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
	bob := unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
	got, err := alice.agreeWith(bob)
	const want = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("secret %x, %v; want %s", got, err, want)
	}
}

func TestParseRefuses(t *testing.T) {
	const zero = "0000000000000000000000000000000000000000000000000000000000000000"
	for _, v := range []struct {
		name   string
		curve  scm.Curve
		secret string
		want   error
	}{
		{"zero", scm.P256, zero, scm.ErrInput},
		{"the order", scm.P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", scm.ErrInput},
		{"zero", scm.Secp256k1, zero, scm.ErrInput},
		{"the order", scm.Secp256k1, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", scm.ErrInput},
		{"short", scm.P256, "01", scm.ErrInput},
		{"empty", scm.Ed25519, "", scm.ErrInput},
		{"long", scm.X25519, zero + "00", scm.ErrInput},
		{"unknown curve", scm.Curve(4), zero, scm.ErrCurve},
	} {
		if _, err := publicOf(v.curve, unhex(t, v.secret)); !errors.Is(err, v.want) {
			t.Errorf("%s on %s: error %v, want %v", v.name, v.curve, err, v.want)
		}
	}
}
