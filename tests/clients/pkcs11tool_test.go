// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestToolListsSlotBeforeAndAfterInit(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	home, module := harness.NewHome(t), harness.Module(t)
	before := home.Run("pkcs11-tool", "--module", module, "-L")
	mustContain(t, before, "Slot 0 (0x0)", "uninitialized")

	home.Run("pkcs11-tool", "--module", module, "--init-token", "--slot", "0", "--label", "first", "--so-pin", harness.SOPIN)
	after := home.Run("pkcs11-tool", "--module", module, "-L")
	mustContain(t, after, "Slot 0 (0x0)", "first", "Soft SCM", "token initialized", "rng", "login required")

	home.Run("pkcs11-tool", "--module", module, "--init-token", "--slot", "0", "--label", "second", "--so-pin", harness.SOPIN)
	mustContain(t, home.Run("pkcs11-tool", "--module", module, "-L"), "Slot 0 (0x0)", "second")
}

func TestToolInitTokenNeedsRightSOPIN(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	out, err := k.Try("pkcs11-tool", "--module", k.module, "--init-token", "--slot", "0", "--label", "x", "--so-pin", "wrong-pin")
	if err == nil {
		t.Fatalf("token initialised again with a wrong SO PIN:\n%s", out)
	}
	mustContain(t, out, "CKR_PIN_INCORRECT")
}

func TestToolListsPermanentKeys(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	public := k.tool("-O")
	if n := strings.Count(public, "Public Key Object"); n != 16 {
		t.Errorf("%d public keys without login, want 16:\n%s", n, public)
	}
	if strings.Contains(public, "Private Key Object") {
		t.Errorf("private keys are listed without login:\n%s", public)
	}
	mustContain(t, public, "SCM slot 0", "SCM slot 13", "SCM slot 14", "EC_EDWARDS", "06082a8648ce3d030107")
	if n := strings.Count(k.user("-O"), "Private Key Object"); n != 16 {
		t.Errorf("%d private keys with login, want 16", n)
	}
}

func TestToolSelfTest(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.generateAll()
	out := k.user("--test")
	mustContain(t, out, "No errors", "SHA256: OK")
	if strings.Contains(out, "ERR") {
		t.Errorf("pkcs11-tool --test:\n%s", out)
	}
}

// TestToolAlwaysAuth: the key that --always-auth asks for, which may derive too, signs with the PIN.
func TestToolAlwaysAuth(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.user("--keypairgen", "--key-type", "EC:prime256v1", "--id", "a1", "--label", "careful", "--always-auth")
	mustContain(t, k.user("-O", "--type", "privkey", "--id", "a1"), "careful", "derive", "always authenticate")
	k.write("digest", bytes.Repeat([]byte{7}, 32))
	k.user("--sign", "--mechanism", "ECDSA", "--id", "a1", "--input-file", k.path("digest"), "--output-file", k.path("signature"))
	mustContain(t, k.tool("--verify", "--mechanism", "ECDSA", "--id", "a1", "--input-file", k.path("digest"), "--signature-file", k.path("signature")),
		"Signature is valid")
}

// TestToolLearnsOfRefusals: the log says which attribute the module refuses.
func TestToolLearnsOfRefusals(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.Set("ZK_PKCS11_LOG", "info")
	k.Set("ZK_PKCS11_SEALED_KEYS", "false") // a key slot takes no such key
	out := k.refused("--keypairgen", "--key-type", "EC:prime256v1", "--extractable")
	mustContain(t, out, "libzk_pkcs11: info: slot 0: ", "CKA_EXTRACTABLE", "CKR_TEMPLATE_INCONSISTENT")
}

func TestToolChangesPIN(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.user("--change-pin", "--new-pin", "another-pin")
	mustContain(t, k.refused("-O"), "CKR_PIN_INCORRECT")
	mustContain(t, k.tool("--login", "--pin", "another-pin", "-O"), "Private Key Object")
}

func TestToolStoresCertificate(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.Run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stored",
		"-keyout", k.path("key.pem"), "-outform", "DER", "-out", k.path("cert.der"))
	roundTrip(t, k, "cert", k.path("cert.der"), "--id", "00", "--label", "mine")
	mustContain(t, k.tool("-O", "--type", "cert"), "Certificate Object", "mine", "CN=stored")

	k.user("--delete-object", "--type", "cert", "--id", "00")
	if out := k.tool("-O", "--type", "cert"); strings.Contains(out, "Certificate Object") {
		t.Errorf("the certificate is still there:\n%s", out)
	}
	mustContain(t, k.tool("-O"), "SCM slot 0")
}

func TestToolStoresData(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	file := k.write("data", []byte("some data\x00\xff of any kind"))
	roundTrip(t, k, "data", file, "--label", "note", "--application-label", "tests")
	k.user("--write-object", file, "--type", "data", "--label", "secret", "--private")
	if out := k.tool("-O", "--type", "data"); strings.Contains(out, "secret") || !strings.Contains(out, "note") {
		t.Errorf("data objects without login:\n%s", out)
	}
	k.user("--delete-object", "--type", "data", "--label", "note")
	out := k.user("-O", "--type", "data")
	if strings.Contains(out, "note") || !strings.Contains(out, "secret") {
		t.Errorf("data objects after one was deleted:\n%s", out)
	}
}

// roundTrip writes an object from a file and reads it again, each in a process
// of its own.
func roundTrip(t *testing.T, k *token, class, file string, naming ...string) {
	t.Helper()
	k.user(append([]string{"--write-object", file, "--type", class}, naming...)...)
	k.tool("--read-object", "--type", class, naming[0], naming[1], "-o", k.path("again"))
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(k.path("again"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("read %x, wrote %x", got, want)
	}
}

func TestToolDeletesGeneratedKey(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.generate("prime256v1", "a1")
	mustContain(t, k.user("-O", "--id", "a1"), "Private Key Object", "Public Key Object")
	k.user("--delete-object", "--type", "privkey", "--id", "a1")
	if out := k.user("-O", "--type", "privkey"); strings.Count(out, "Private Key Object") != 16 {
		t.Errorf("after the key was deleted:\n%s", out)
	}
	k.refused("--sign", "-m", "ECDSA", "--id", "a1", "-i", k.write("hash", make([]byte, 32)), "-o", k.path("sig"))
}

func TestToolCannotDeletePermanentKey(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	for _, id := range []string{"00", "0d", "0e", "0f"} {
		mustContain(t, k.refused("--delete-object", "--type", "privkey", "--id", id), "0x1b") // CKR_ACTION_PROHIBITED
	}
	if n := strings.Count(k.user("-O", "--type", "privkey"), "Private Key Object"); n != 16 {
		t.Errorf("%d private keys are left, want 16", n)
	}
}

func TestToolForks(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.user("--test-fork", "-O")
}

// mustContain checks that a program printed all of the texts.
func mustContain(t testing.TB, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("%q is missing in:\n%s", text, out)
		}
	}
}
