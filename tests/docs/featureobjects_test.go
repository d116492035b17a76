// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// tried is an object that modules are asked to create.
type tried struct {
	name     string
	template func(*testing.T) []value
}

// value is an attribute.
type value struct {
	typ   uint
	bytes []byte
}

// key is the name as the program has it, in one word.
func (o tried) key() string { return strings.NewReplacer(" ", "-", ",", "").Replace(o.name) }

// objectTemplates are the lines that the program reads.
func objectTemplates(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, o := range objectsTried() {
		b.WriteString(o.key())
		for _, v := range o.template(t) {
			fmt.Fprintf(&b, " %x=%s", v.typ, hex.EncodeToString(v.bytes))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func ulong(n uint) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(n)) }

// numberOf are bytes that stand for a large number.
func numberOf(size int) []byte { return append(bytes.Repeat([]byte{0xc5}, size-1), 0x43) }

func plain(values ...value) func(*testing.T) []value {
	return func(*testing.T) []value { return values }
}

// key makes the beginning of the template of a key, or of domain parameters.
func keyValues(class, keyType uint, more ...value) []value {
	return append([]value{{pkcs11.CKA_CLASS, ulong(class)}, {pkcs11.CKA_KEY_TYPE, ulong(keyType)}}, more...)
}

func secretOf(keyType uint, size int) func(*testing.T) []value {
	return plain(keyValues(pkcs11.CKO_SECRET_KEY, keyType, value{pkcs11.CKA_VALUE, numberOf(size)})...)
}

// objectsTried are all of the page, in its order.
func objectsTried() []tried {
	list := []tried{
		{"data", plain(value{pkcs11.CKA_CLASS, ulong(pkcs11.CKO_DATA)}, value{pkcs11.CKA_VALUE, []byte("data")})},
		{"X.509 certificate", certificateValues},
		{"X.509 attribute certificate", plain(value{pkcs11.CKA_CLASS, ulong(pkcs11.CKO_CERTIFICATE)}, value{pkcs11.CKA_CERTIFICATE_TYPE, ulong(pkcs11.CKC_X_509_ATTR_CERT)},
			value{pkcs11.CKA_OWNER, []byte{0x30, 0}}, value{pkcs11.CKA_VALUE, []byte{0x30, 0}})},
		{"trust", plain(value{pkcs11.CKA_CLASS, ulong(live.CKO_TRUST)}, value{pkcs11.CKA_ISSUER, []byte{0x30, 0}}, value{pkcs11.CKA_SERIAL_NUMBER, []byte{2, 1, 1}},
			value{live.CKA_TRUST_SERVER_AUTH, ulong(live.CKT_TRUST_ANCHOR)})},
		{"domain parameters, DSA", plain(keyValues(pkcs11.CKO_DOMAIN_PARAMETERS, pkcs11.CKK_DSA, dsaNumbers()...)...)},
		{"domain parameters, DH", plain(keyValues(pkcs11.CKO_DOMAIN_PARAMETERS, pkcs11.CKK_DH, dhNumbers()...)...)},
	}
	for _, half := range []struct {
		name  string
		class uint
	}{{"public key", pkcs11.CKO_PUBLIC_KEY}, {"private key", pkcs11.CKO_PRIVATE_KEY}} {
		private := half.class == pkcs11.CKO_PRIVATE_KEY
		list = append(list, tried{half.name + ", RSA", func(t *testing.T) []value { return rsaValues(t, private) }})
		for _, c := range tryCurves() {
			list = append(list, tried{half.name + ", " + c.name, func(t *testing.T) []value { return c.values(t, private) }})
		}
		list = append(list,
			tried{half.name + ", ML-DSA-44", plain(latticeValues(half.class, live.CKK_ML_DSA, 1, numberOf(1312))...)},
			tried{half.name + ", ML-KEM-768", func(t *testing.T) []value { return kemValues(t, half.class) }},
			tried{half.name + ", DSA", plain(keyValues(half.class, pkcs11.CKK_DSA, append(dsaNumbers(), value{pkcs11.CKA_VALUE, numberOf(20)})...)...)},
			tried{half.name + ", DH", plain(keyValues(half.class, pkcs11.CKK_DH, append(dhNumbers(), value{pkcs11.CKA_VALUE, numberOf(200)})...)...)})
	}
	for _, s := range []struct {
		name    string
		keyType uint
		size    int
	}{
		{"generic secret", pkcs11.CKK_GENERIC_SECRET, 40}, {"AES", pkcs11.CKK_AES, 32}, {"HMAC with SHA-256", pkcs11.CKK_SHA256_HMAC, 32},
		{"HKDF", live.CKK_HKDF, 32}, {"triple DES", pkcs11.CKK_DES3, 24}, {"ChaCha20", live.CKK_CHACHA20, 32},
	} {
		list = append(list, tried{"secret key, " + s.name, secretOf(s.keyType, s.size)})
	}
	return list
}

func dsaNumbers() []value {
	return []value{{pkcs11.CKA_PRIME, numberOf(256)}, {pkcs11.CKA_SUBPRIME, numberOf(32)}, {pkcs11.CKA_BASE, numberOf(255)}}
}

func dhNumbers() []value {
	return []value{{pkcs11.CKA_PRIME, numberOf(256)}, {pkcs11.CKA_BASE, []byte{2}}}
}

func certificateValues(t *testing.T) []value {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return []value{
		{pkcs11.CKA_CLASS, ulong(pkcs11.CKO_CERTIFICATE)}, {pkcs11.CKA_CERTIFICATE_TYPE, ulong(pkcs11.CKC_X_509)},
		{pkcs11.CKA_SUBJECT, []byte{0x30, 0}}, {pkcs11.CKA_VALUE, der},
	}
}

func rsaValues(t *testing.T, private bool) []value {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := []value{{pkcs11.CKA_MODULUS, key.N.Bytes()}, {pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}}}
	if !private {
		return keyValues(pkcs11.CKO_PUBLIC_KEY, pkcs11.CKK_RSA, public...)
	}
	return keyValues(pkcs11.CKO_PRIVATE_KEY, pkcs11.CKK_RSA, append(public, value{pkcs11.CKA_PRIVATE_EXPONENT, key.D.Bytes()},
		value{pkcs11.CKA_PRIME_1, key.Primes[0].Bytes()}, value{pkcs11.CKA_PRIME_2, key.Primes[1].Bytes()}, value{pkcs11.CKA_EXPONENT_1, key.Precomputed.Dp.Bytes()},
		value{pkcs11.CKA_EXPONENT_2, key.Precomputed.Dq.Bytes()}, value{pkcs11.CKA_COEFFICIENT, key.Precomputed.Qinv.Bytes()})...)
}

// tryCurve is a curve with a key on it, whose numbers are right where this test can make them.
type tryCurve struct {
	name           string
	keyType        uint
	params         []byte
	point, private []byte
}

func (c *tryCurve) values(t *testing.T, private bool) []value {
	t.Helper()
	point, err := asn1.Marshal(c.point)
	if err != nil {
		t.Fatal(err)
	}
	if private {
		return keyValues(pkcs11.CKO_PRIVATE_KEY, c.keyType, value{pkcs11.CKA_EC_PARAMS, c.params}, value{pkcs11.CKA_VALUE, c.private})
	}
	return keyValues(pkcs11.CKO_PUBLIC_KEY, c.keyType, value{pkcs11.CKA_EC_PARAMS, c.params}, value{pkcs11.CKA_EC_POINT, point})
}

// tryCurves has the key 1 on curves for ECDSA, whose point is the base point.
func tryCurves() []tryCurve {
	base := func(name string, params []byte, x, y string) tryCurve {
		point := append([]byte{4}, append(fromHex(x), fromHex(y)...)...)
		return tryCurve{name, pkcs11.CKK_EC, params, point, append(make([]byte, len(point)/2-1), 1)}
	}
	nist := func(name string, params []byte, c elliptic.Curve) tryCurve {
		p := c.Params()
		size := 2 * ((p.BitSize + 7) / 8)
		return base(name, params, fmt.Sprintf("%0*x", size, p.Gx), fmt.Sprintf("%0*x", size, p.Gy))
	}
	edwards := ed25519.NewKeyFromSeed(numberOf(32))
	montgomery, _ := ecdh.X25519().NewPrivateKey(numberOf(32)) // any 32 bytes are one
	return []tryCurve{
		nist("P-224", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x21}, elliptic.P224()),
		nist("P-256", live.P256, elliptic.P256()),
		nist("P-384", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, elliptic.P384()),
		nist("P-521", []byte{6, 5, 0x2b, 0x81, 4, 0, 0x23}, elliptic.P521()),
		base("secp256k1", live.Secp256k1, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
		base("brainpoolP256r1", []byte{6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7}, "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262", "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997"),
		{"Ed25519", live.CKK_EC_EDWARDS, live.Ed25519, edwards.Public().(ed25519.PublicKey), numberOf(32)},
		{"Ed448", live.CKK_EC_EDWARDS, []byte{6, 3, 0x2b, 0x65, 0x71}, numberOf(57), numberOf(57)},
		{"X25519", live.CKK_EC_MONTGOMERY, live.X25519, montgomery.PublicKey().Bytes(), numberOf(32)},
	}
}

func fromHex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err) // a number of this file
	}
	return b
}

// latticeValues makes a key of a parameter set, whose private half is a seed.
func latticeValues(class, keyType, set uint, public []byte) []value {
	if class == pkcs11.CKO_PRIVATE_KEY {
		return keyValues(class, keyType, value{live.CKA_PARAMETER_SET, ulong(set)}, value{live.CKA_SEED, numberOf(32)})
	}
	return keyValues(class, keyType, value{live.CKA_PARAMETER_SET, ulong(set)}, value{pkcs11.CKA_VALUE, public})
}

func kemValues(t *testing.T, class uint) []value {
	t.Helper()
	seed := numberOf(mlkem.SeedSize)
	key, err := mlkem.NewDecapsulationKey768(seed)
	if err != nil {
		t.Fatal(err)
	}
	values := latticeValues(class, live.CKK_ML_KEM, 2, key.EncapsulationKey().Bytes())
	if class == pkcs11.CKO_PRIVATE_KEY {
		values[3].bytes = seed
	}
	return values
}
