// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// octets is how Wycheproof writes bytes.
type octets []byte

// UnmarshalText reads them.
func (b *octets) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

// anyGroup is any group of tests of Wycheproof, anyVector any test.
type anyGroup struct {
	Sha, MgfSha, Curve string
	TagSize, SLen      int
	PublicKeyDer       octets
	PrivateKeyPkcs8    octets
	Tests              []anyVector
}

type anyVector struct {
	TcID                            int
	Comment, Result                 string
	Flags                           []string
	Key, Iv, Aad, Msg, Ct, Tag, Sig octets
	Ikm, Salt, Info, Okm, Label     octets
	Public, Private, Shared         octets
	Size                            int
}

// importer does tests with keys that are brought into the token.
type importer struct {
	*live.Token
	s    pkcs11.SessionHandle
	file string
	key  pkcs11.ObjectHandle // of the group
}

// vectorSuite is how the tests of files whose names begin so are done.
type vectorSuite struct {
	prefix    string
	mechanism uint
	open      func(k *importer, g *anyGroup) error // brings the key of a group in; nil: each test has one
	run       func(k *importer, g *anyGroup, v *anyVector) error
}

var vectorSuites = []vectorSuite{
	{"aes_cbc_pkcs5", pkcs11.CKM_AES_CBC_PAD, nil, (*importer).cbc},
	{"aes_cmac", pkcs11.CKM_AES_CMAC_GENERAL, nil, (*importer).cmac},
	{"aes_gcm", pkcs11.CKM_AES_GCM, nil, (*importer).gcm},
	{"aes_kwp", ckmKeyWrapKWP, nil, (*importer).kwp},
	{"aes_wrap", pkcs11.CKM_AES_KEY_WRAP, nil, (*importer).wrap},
	{"ecdh_secp256k1_test", pkcs11.CKM_ECDH1_DERIVE, nil, (*importer).ecdhInfo},
	{"ecdh_", pkcs11.CKM_ECDH1_DERIVE, nil, (*importer).ecdhPoint},
	{"ecdsa_", pkcs11.CKM_ECDSA, (*importer).openPublic, (*importer).ecdsa},
	{"ed25519", live.CKM_EDDSA, (*importer).openPublic, (*importer).eddsa},
	{"hkdf_", ckmHKDFDerive, nil, (*importer).hkdf},
	{"hmac_", pkcs11.CKM_SHA256_HMAC_GENERAL, nil, (*importer).hmac},
	{"rsa_oaep_", pkcs11.CKM_RSA_PKCS_OAEP, (*importer).openPrivate, (*importer).oaep},
	{"rsa_pss_", pkcs11.CKM_RSA_PKCS_PSS, (*importer).openPublic, (*importer).pss},
	{"rsa_signature_", pkcs11.CKM_SHA256_RSA_PKCS, (*importer).openPublic, (*importer).pkcs1},
	{"x25519", pkcs11.CKM_ECDH1_DERIVE, nil, (*importer).x25519},
}

// refusals are the codes with which a vector may be refused.
var refusals = []pkcs11.Error{
	errWrong, pkcs11.CKR_SIGNATURE_INVALID, pkcs11.CKR_SIGNATURE_LEN_RANGE, pkcs11.CKR_ENCRYPTED_DATA_INVALID,
	pkcs11.CKR_ENCRYPTED_DATA_LEN_RANGE, pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_ATTRIBUTE_VALUE_INVALID,
	pkcs11.CKR_WRAPPED_KEY_INVALID, pkcs11.CKR_WRAPPED_KEY_LEN_RANGE, pkcs11.CKR_PUBLIC_KEY_INVALID, pkcs11.CKR_DATA_LEN_RANGE,
	pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_TEMPLATE_INCONSISTENT, live.CKR_CURVE_NOT_SUPPORTED, pkcs11.CKR_DOMAIN_PARAMS_INVALID,
}

// errWrong is for what was not refused, and came out wrong.
const errWrong = pkcs11.Error(pkcs11.CKR_VENDOR_DEFINED + 1)

// TestWycheproofImported goes through all files there are, with the keys brought in by C_CreateObject: every valid test
// passes, no invalid one does.
func TestWycheproofImported(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(harness.Vectors(t, "wycheproof"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files of Wycheproof", err)
	}
	k := &importer{Token: live.New(t)}
	k.s = k.User()
	list, err := k.GetMechanismList(0)
	k.OK(err)
	total := map[string]int{}
	for _, path := range files {
		k.file = strings.TrimSuffix(filepath.Base(path), "_test.json")
		t.Run(k.file, func(t *testing.T) {
			x := suiteOf(t, k.file+"_test")
			if !slices.ContainsFunc(list, func(m *pkcs11.Mechanism) bool { return m.Mechanism == x.mechanism }) {
				t.Fatalf("the token has no mechanism %#x", x.mechanism)
			}
			for result, n := range x.runFile(t, k, path) {
				total[result] += n
			}
		})
	}
	t.Logf("%d files: %v", len(files), total)
}

func suiteOf(t *testing.T, name string) *vectorSuite {
	t.Helper()
	for i := range vectorSuites {
		if strings.HasPrefix(name, vectorSuites[i].prefix) {
			return &vectorSuites[i]
		}
	}
	t.Fatal("no suite for this file")
	return nil
}

// runFile counts the tests of a file by their results.
func (x *vectorSuite) runFile(t *testing.T, k *importer, path string) map[string]int {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		NumberOfTests int
		TestGroups    []anyGroup
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i := range f.TestGroups {
		x.runGroup(t, k, &f.TestGroups[i], counts)
	}
	if n := counts["valid"] + counts["invalid"] + counts["acceptable"]; n != f.NumberOfTests || n == 0 {
		t.Errorf("%d tests of %d", n, f.NumberOfTests)
	}
	t.Log(counts)
	return counts
}

func (x *vectorSuite) runGroup(t *testing.T, k *importer, g *anyGroup, counts map[string]int) {
	if x.open != nil {
		if err := x.open(k, g); err != nil {
			t.Fatalf("the key of a group: %v", err)
		}
		defer k.remove(k.key)
	}
	for i := range g.Tests {
		v := &g.Tests[i]
		counts[v.Result]++
		rv := live.RV(x.run(k, g, v))
		if v.Result == "acceptable" && rv == 0 {
			counts["acceptable, taken"]++
		}
		if rv != 0 && !slices.Contains(refusals, rv) || v.Result == "valid" && rv != 0 || v.Result == "invalid" && rv == 0 {
			t.Errorf("%d (%s) is %s: %v", v.TcID, v.Comment, v.Result, rv)
		}
	}
}

// remove destroys a key of one test.
func (k *importer) remove(key pkcs11.ObjectHandle) { k.OK(k.DestroyObject(k.s, key)) }

// same is errWrong for what is not what it should be.
func same(got, want []byte) error {
	if string(got) != string(want) {
		return errWrong
	}
	return nil
}

// hashName is the hash in the name of a file.
func (k *importer) hashName() string {
	for _, name := range []string{"sha3_256", "sha1", "sha256", "sha384", "sha512"} {
		if strings.Contains(k.file, "_"+name) {
			return name
		}
	}
	panic(fmt.Sprintf("no hash in the name %s", k.file))
}
