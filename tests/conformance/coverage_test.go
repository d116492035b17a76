// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"crypto/elliptic"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// hashSecrets are the mechanisms that make the secrets for one hash, whose types of key follow from nothing.
var hashSecrets = map[uint]uint{
	live.CKM_SHA_1_KEY_GEN: 0x28, live.CKM_SHA224_KEY_GEN: 0x2e, live.CKM_SHA256_KEY_GEN: 0x2b, live.CKM_SHA384_KEY_GEN: 0x2c, live.CKM_SHA512_KEY_GEN: 0x2d,
	live.CKM_SHA512_224_KEY_GEN: 0x43, live.CKM_SHA512_256_KEY_GEN: 0x44, live.CKM_SHA3_224_KEY_GEN: 0x36, live.CKM_SHA3_256_KEY_GEN: 0x37,
	live.CKM_SHA3_384_KEY_GEN: 0x38, live.CKM_SHA3_512_KEY_GEN: 0x39,
}

// addSealed adds keys that no key slot can hold, one of each sort.
func (x *trial) addSealed() {
	x.t.Helper()
	codes := []*pkcs11.Attribute{attr(pkcs11.CKA_SIGN, true), attr(pkcs11.CKA_VERIFY, true), attr(pkcs11.CKA_DERIVE, true)}
	public, private, err := x.GenerateKeyPair(x.s, live.Mechanism(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN),
		[]*pkcs11.Attribute{attr(pkcs11.CKA_MODULUS_BITS, 2048), attr(pkcs11.CKA_ENCRYPT, true), attr(pkcs11.CKA_WRAP, true), attr(pkcs11.CKA_VERIFY_RECOVER, true)},
		[]*pkcs11.Attribute{attr(pkcs11.CKA_DECRYPT, true), attr(pkcs11.CKA_UNWRAP, true), attr(pkcs11.CKA_SIGN_RECOVER, true)})
	x.OK(err)
	x.add("RSA", pkcs11.CKK_RSA, public, private)
	aes := aesKey(x.Token, x.s, append(codes, attr(pkcs11.CKA_WRAP, true), attr(pkcs11.CKA_UNWRAP, true))...)
	x.add("AES", pkcs11.CKK_AES, aes, aes)
	x.addSecret("generic secret", pkcs11.CKM_GENERIC_SECRET_KEY_GEN, pkcs11.CKK_GENERIC_SECRET, codes)
	x.addSecret("HKDF", live.CKM_HKDF_KEY_GEN, live.CKK_HKDF, codes[2:])
	for generate, keyType := range hashSecrets {
		x.addSecret("secret for this hash", generate, keyType, codes)
	}
	for name, params := range map[string][]byte{"P-224": live.P224, "P-384": live.P384, "P-521": live.P521} {
		for range 2 {
			public, private, err := x.GenerateKeyPair(x.s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), []*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, params)},
				[]*pkcs11.Attribute{attr(pkcs11.CKA_SIGN, true), attr(pkcs11.CKA_DERIVE, true)})
			x.OK(err)
			x.add(name, pkcs11.CKK_EC, public, private)
		}
	}
	public, private = imported(x.t, x.Token, x.s, elliptic.P384())
	x.add("P-384", pkcs11.CKK_EC, public, private)
	for set, name := range map[int]string{1: "ML-DSA-44", 2: "65", 3: "87"} {
		public, private, err = x.GenerateKeyPair(x.s, live.Mechanism(live.CKM_ML_DSA_KEY_PAIR_GEN), []*pkcs11.Attribute{attr(live.CKA_PARAMETER_SET, set)}, nil)
		x.OK(err)
		x.add(name, live.CKK_ML_DSA, public, private)
	}
}

func (x *trial) addSecret(name string, generate, keyType uint, template []*pkcs11.Attribute) {
	x.t.Helper()
	key, err := x.GenerateKey(x.s, live.Mechanism(generate), append([]*pkcs11.Attribute{attr(pkcs11.CKA_VALUE_LEN, 32)}, template...))
	x.OK(err)
	x.add(name, keyType, key, key)
}

// add has the mechanisms be tried on a pair of keys, or on a secret key that is both. Names are those of docs/mechanisms.md.
func (x *trial) add(name string, keyType uint, public, private pkcs11.ObjectHandle) {
	x.private[keyType], x.public[keyType] = append(x.private[keyType], private), append(x.public[keyType], public)
	x.names[private] = name
}

// use is that a mechanism was used with a key.
type use struct {
	mechanism uint
	key       string
}

func (x *trial) note(m uint, private pkcs11.ObjectHandle) { x.used[use{m, x.names[private]}] = true }

var rowOfPage = regexp.MustCompile(`(?m)^\| (CKM_\w+) \| ([^|]*) \| ([^|]*) \|`)

// checkCoverage: what is told of the keys of a mechanism was tried, with each of them.
func (x *trial) checkCoverage(list []*pkcs11.Mechanism) {
	x.t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(x.t), "docs/mechanisms.md"))
	x.OK(err)
	rows := rowOfPage.FindAllStringSubmatch(string(page), -1)
	if len(rows) != len(list) && !harness.OverVendor() {
		x.t.Errorf("%d mechanisms on the page, %d in the list", len(rows), len(list))
	}
	numbers := mechanismNumbers(x.t)
	for _, row := range rows {
		m := numbers[row[1]]
		if !strings.Contains(row[2], "sign") && !strings.Contains(row[2], "encrypt") && !strings.Contains(row[2], "derive") {
			continue // it has no keys, or makes them
		}
		for name := range strings.SplitSeq(row[3], ", ") {
			if name == "secrets" { // of any type
				name = "generic secret"
			}
			if name != "–" && !x.used[use{m, name}] {
				x.t.Errorf("%s was not used with a key for %s", row[1], name)
			}
		}
	}
	x.t.Logf("%d mechanisms, %d uses with a sort of key", len(list), len(x.used))
}

var mechanismLine = regexp.MustCompile(`(?m)^#define (CKM_\w+) +(0x[0-9A-F]+)UL`)

func mechanismNumbers(t *testing.T) map[string]uint {
	t.Helper()
	header, err := os.ReadFile(filepath.Join(harness.Root(t), "include/pkcs11.h"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint{"CKM_ZK_LOCK": live.CKM_ZK_LOCK}
	for _, m := range mechanismLine.FindAllStringSubmatch(string(header), -1) {
		n, err := strconv.ParseUint(m[2], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		numbers[m[1]] = uint(n)
	}
	return numbers
}
