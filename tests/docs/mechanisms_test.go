// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"flag"
	"fmt"
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

var update = flag.Bool("update", false, "write docs/mechanisms.md anew")

var (
	mechanismInHeader = regexp.MustCompile(`(?m)^#define (CKM_\w+) +(0x[0-9A-F]+)UL`)
	vendorInHeader    = regexp.MustCompile(`(?m)^#define (CKM_\w+) \(CKM_VENDOR_DEFINED \+ (0x[0-9A-F]+)\)`)
	rowInCode         = regexp.MustCompile(`(?m)^\t(CKM_\w+): +\{(.*)\},$`)
	keysInRow         = regexp.MustCompile(`keys: (\w+)`)
)

// Flags of functions for one message after another (C_MessageEncryptInit and its kin), both ways.
const (
	messageCiphers    = 0x2 | 0x4
	messageSignatures = 0x8 | 0x10
)

// uses are the flags that say what a mechanism is for, in the order of the page.
var uses = []struct {
	flag uint
	name string
}{
	{pkcs11.CKF_DIGEST, "digest"}, {pkcs11.CKF_GENERATE_KEY_PAIR, "generate key pair"}, {pkcs11.CKF_GENERATE, "generate"}, {pkcs11.CKF_SIGN, "sign"},
	{pkcs11.CKF_VERIFY, "verify"}, {pkcs11.CKF_DERIVE, "derive"}, {pkcs11.CKF_ENCRYPT, "encrypt"}, {pkcs11.CKF_DECRYPT, "decrypt"},
	{pkcs11.CKF_WRAP, "wrap"}, {pkcs11.CKF_UNWRAP, "unwrap"},
	{pkcs11.CKF_SIGN_RECOVER, "sign with recovery"}, {pkcs11.CKF_VERIFY_RECOVER, "recover"}, {messageCiphers, "messages"}, {messageSignatures, "messages"},
	{1 << 28, "encapsulate"}, {1 << 29, "decapsulate"},
}

// TestMechanismsPage: docs/mechanisms.md is what the module answers.
func TestMechanismsPage(t *testing.T) {
	page := mechanismsPage(t)
	path := filepath.Join(harness.Root(t), "docs/mechanisms.md")
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != page {
		t.Error("docs/mechanisms.md is not what the module answers; run go test ./tests/docs -run MechanismsPage -update")
	}
}

func mechanismsPage(t *testing.T) string {
	t.Helper()
	k := live.New(t)
	list, err := k.GetMechanismList(0)
	k.OK(err)
	names, keys := mechanismNames(t), mechanismKeys(t)
	var b strings.Builder
	b.WriteString("# Mechanisms\n\n" +
		"What the module answers to C_GetMechanismList and C_GetMechanismInfo for a soft SCM with the default settings. Sizes of keys are\n" +
		"in bits, those of AES, for codes, and of ML-DSA and ML-KEM (public keys) in bytes. An SCM that can do less has fewer mechanisms, and without sealed keys there are none of\n" +
		"RSA, AES and secrets. This page is made by `go test ./tests/docs -run MechanismsPage -update`.\n\n" +
		"A key in a key slot signs by CKM_EDDSA as Ed25519 alone, with no parameter or one that says the same. With a sealed key, and to verify, there are\n" +
		"Ed25519ctx and Ed25519ph, too (CK_EDDSA_PARAMS).\n\n" +
		"There is no DES, MD5, RC4, DSA, nor RSA below 2048 bits: they are broken, and nobody has asked for them. ML-KEM-512, HashML-DSA, CCM and others that\n" +
		"are not there for other reasons are in [adr/0031](adr/0031-software-keys.md).\n\n" +
		"| mechanism | for | keys | sizes |\n| --- | --- | --- | --- |\n")
	for _, m := range list {
		info, err := k.GetMechanismInfo(0, []*pkcs11.Mechanism{m})
		k.OK(err)
		name, known := names[m.Mechanism]
		if !known || keys[name] == "" {
			t.Fatalf("mechanism 0x%x (%s) has no name in the headers, or no row in pkcs11/", m.Mechanism, name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, usesOf(t, name, info.Flags), keys[name], bits(info))
	}
	return b.String()
}

func usesOf(t *testing.T, name string, flags uint) string {
	t.Helper()
	var list []string
	for _, u := range uses {
		if flags&u.flag == u.flag {
			list = append(list, u.name)
		}
	}
	if len(list) == 0 {
		t.Errorf("%s has the flags 0x%x, none of which this page knows", name, flags)
	}
	return strings.Join(list, ", ")
}

func bits(info pkcs11.MechanismInfo) string {
	if info.MinKeySize == info.MaxKeySize {
		if info.MinKeySize == 0 {
			return "–"
		}
		return strconv.Itoa(int(info.MinKeySize))
	}
	return fmt.Sprintf("%d to %d", info.MinKeySize, info.MaxKeySize)
}

// mechanismNames maps the mechanisms of both headers to their names. An alias is
// defined by another name, not by a number, and so is not among them.
func mechanismNames(t *testing.T) map[uint]string {
	t.Helper()
	names := map[uint]string{}
	add := func(header string, form *regexp.Regexp, base uint) {
		for _, m := range form.FindAllStringSubmatch(read(t, filepath.Join(harness.Root(t), "include", header)), -1) {
			n, err := strconv.ParseUint(m[2], 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			names[base+uint(n)] = m[1]
		}
	}
	add("pkcs11.h", mechanismInHeader, 0)
	add("zk_pkcs11.h", vendorInHeader, pkcs11.CKM_VENDOR_DEFINED)
	return names
}

// mechanismKeys says which keys a mechanism takes, from the table in the code.
func mechanismKeys(t *testing.T) map[string]string {
	t.Helper()
	kinds := map[string]string{
		"rsaKeys": "RSA", "aesKeys": "AES", "genericKeys": "generic secret", "secretKeys": "secrets, AES", "hkdfKeys": "HKDF", "mldsaKeys": "ML-DSA-44, 65, 87", "mlkemKeys": "ML-KEM-768, 1024",
		"ecKeys": "P-224, P-256, P-384, P-521, secp256k1", "edwardsKeys": "Ed25519", "montgomeryKeys": "X25519", "agreeingKeys": "P-224, P-256, P-384, P-521, secp256k1, X25519",
	}
	files, err := filepath.Glob(filepath.Join(harness.Root(t), "pkcs11/*mechanisms.go"))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, file := range files {
		for _, row := range rowInCode.FindAllStringSubmatch(read(t, file), -1) {
			keys[row[1]] = "–"
			if m := keysInRow.FindStringSubmatch(row[2]); m != nil {
				keys[row[1]] = kinds[m[1]]
				if strings.HasPrefix(m[1], "sha") {
					keys[row[1]] = "secret for this hash, generic secret"
				}
			}
		}
	}
	return keys
}
