// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hexBytes is how Wycheproof writes bytes.
type hexBytes []byte

// UnmarshalText reads them.
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

// group is any group of tests of Wycheproof, case any test.
type group struct {
	Sha, MgfSha, Curve string
	TagSize, SLen      int
	PublicKeyDer       hexBytes
	PrivateKeyPkcs8    hexBytes
	Tests              []vector
}

type vector struct {
	TcID                            int
	Comment, Result                 string
	Flags                           []string
	Key, Iv, Aad, Msg, Ct, Tag, Sig hexBytes
	Ikm, Salt, Info, Okm, Label     hexBytes
	Public, Private, Shared         hexBytes
	Size                            int
}

// suite is how the tests of some files are done: nil is for what was accepted.
type suite func(t *testing.T, g *group, v *vector) error

// suites are by the beginning of the names of files.
var suites = []struct {
	prefix string
	run    suite
}{
	{"aes_cbc_pkcs5", wycheproofCBC},
	{"aes_cmac", wycheproofCMAC},
	{"aes_gcm", wycheproofGCM},
	{"aes_kwp", wycheproofPadded},
	{"aes_wrap", wycheproofWrap},
	{"ecdh_secp256k1_test", wycheproofECDH},
	{"ecdh_", wycheproofPoint},
	{"ecdsa_", wycheproofECDSA},
	{"ed25519", wycheproofEd25519},
	{"hkdf_", wycheproofHKDF},
	{"hmac_", wycheproofHMAC},
	{"rsa_oaep_", wycheproofOAEP},
	{"rsa_pss_", wycheproofPSS},
	{"rsa_signature_", wycheproofPKCS1},
	{"x25519", wycheproofX25519},
}

// TestWycheproof goes through all files there are: a file that nothing is known to do with fails.
func TestWycheproof(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorFolder(t), "wycheproof", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of Wycheproof: %v", err)
	}
	total := counts{}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) { total.add(runFile(t, path, name)) })
	}
	t.Logf("%d files: %v", len(files), total)
}

func vectorFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ZK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "vectors")
	}
	return dir
}

// counts are tests by their results: valid, invalid, and those of acceptable that were taken.
type counts struct{ valid, invalid, acceptable, taken int }

func (c *counts) add(d counts) {
	c.valid, c.invalid = c.valid+d.valid, c.invalid+d.invalid
	c.acceptable, c.taken = c.acceptable+d.acceptable, c.taken+d.taken
}

// String tells them in a line.
func (c counts) String() string {
	return fmt.Sprintf("%d valid, %d invalid, %d acceptable (%d taken)", c.valid, c.invalid, c.acceptable, c.taken)
}

func runFile(t *testing.T, path, name string) (c counts) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		NumberOfTests int
		TestGroups    []group
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	run := suiteOf(t, name)
	for i := range f.TestGroups {
		g := &f.TestGroups[i]
		for j := range g.Tests {
			c.add(runVector(t, run, g, &g.Tests[j]))
		}
	}
	if n := c.valid + c.invalid + c.acceptable; n != f.NumberOfTests || n == 0 {
		t.Errorf("%d tests of %d", n, f.NumberOfTests)
	}
	t.Log(c)
	return c
}

func suiteOf(t *testing.T, name string) suite {
	t.Helper()
	for _, s := range suites {
		if strings.HasPrefix(name, s.prefix) {
			return s.run
		}
	}
	t.Fatal("no suite for this file")
	return nil
}

func runVector(t *testing.T, run suite, g *group, v *vector) (c counts) {
	err := run(t, g, v)
	if err != nil && !typedError(err) {
		t.Errorf("%d (%s): an error of no kind: %v", v.TcID, v.Comment, err)
	}
	switch v.Result {
	case "valid":
		c.valid++
		if err != nil {
			t.Errorf("%d (%s): %v", v.TcID, v.Comment, err)
		}
	case "invalid":
		c.invalid++
		if err == nil {
			t.Errorf("%d (%s) was accepted", v.TcID, v.Comment)
		}
	case "acceptable":
		c.acceptable++
		if err == nil {
			c.taken++
		}
	default:
		t.Errorf("%d: result %q", v.TcID, v.Result)
	}
	return c
}

// hashNames are those of Wycheproof.
var hashNames = map[string]crypto.Hash{
	"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512,
}

func hashNamed(t *testing.T, name string) crypto.Hash {
	t.Helper()
	h, known := hashNames[name]
	if !known {
		t.Fatalf("hash %q", name)
	}
	return h
}

// hashOfFile is the hash in the name of the file.
func hashOfFile(t *testing.T) crypto.Hash {
	t.Helper()
	for name, h := range map[string]crypto.Hash{
		"_sha1_": crypto.SHA1, "_sha256_": crypto.SHA256, "_sha384_": crypto.SHA384, "_sha512_": crypto.SHA512, "_sha3_256_": crypto.SHA3_256,
	} {
		if strings.Contains(t.Name(), name) {
			return h
		}
	}
	t.Fatal("no hash in the name")
	return 0
}

// flagged reports whether a test has a flag.
func (v *vector) flagged(flag string) bool { return slices.Contains(v.Flags, flag) }
