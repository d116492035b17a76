// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// generateRSA makes an RSA key pair.
func (k *token) generateRSA(id string) {
	k.t.Helper()
	k.user("--keypairgen", "--key-type", "rsa:2048", "--id", id, "--label", "rsa")
}

// TestToolTestsRSA has pkcs11-tool test all that it can with RSA keys.
func TestToolTestsRSA(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.generateRSA("a1")
	out := k.user("--test")
	mustContain(t, out, "No errors")
	if strings.Contains(out, "ERR") {
		t.Errorf("pkcs11-tool --test:\n%s", out)
	}
}

// TestToolSignsWithRSA signs with pkcs11-tool, and OpenSSL verifies.
func TestToolSignsWithRSA(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.generateRSA("a1")
	message := k.write("message", bytes.Repeat([]byte("a message"), 50))
	k.tool("--read-object", "--type", "pubkey", "--id", "a1", "-o", k.path("public.der"))
	k.Run("openssl", "rsa", "-pubin", "-inform", "DER", "-in", k.path("public.der"), "-out", k.path("public.pem"))
	for mechanism, options := range map[string][]string{
		"SHA256-RSA-PKCS":     nil,
		"SHA512-RSA-PKCS":     nil,
		"SHA256-RSA-PKCS-PSS": {"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"},
	} {
		signature := k.path("signature-" + mechanism)
		k.user("--sign", "-m", mechanism, "--id", "a1", "-i", message, "-o", signature)
		hash := "-" + strings.ToLower(mechanism[:6])
		args := append([]string{"dgst", hash, "-verify", k.path("public.pem"), "-signature", signature}, options...)
		mustContain(t, k.Run("openssl", append(args, message)...), "Verified OK")
	}
}

// TestToolDecryptsWithRSA decrypts what OpenSSL has encrypted, by both paddings.
func TestToolDecryptsWithRSA(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.user("--keypairgen", "--key-type", "rsa:2048", "--id", "a1", "--usage-decrypt")
	message := k.write("message", []byte("a short message"))
	k.tool("--read-object", "--type", "pubkey", "--id", "a1", "-o", k.path("public.der"))
	for mechanism, padding := range map[string][]string{
		"RSA-PKCS":      {"-pkeyopt", "rsa_padding_mode:pkcs1"},
		"RSA-PKCS-OAEP": {"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"},
	} {
		args := append([]string{"pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", k.path("public.der"), "-in", message,
			"-out", k.path("text")}, padding...)
		k.Run("openssl", args...)
		options := []string{"--decrypt", "-m", mechanism, "--id", "a1", "-i", k.path("text"), "-o", k.path("again")}
		if mechanism == "RSA-PKCS-OAEP" {
			options = append(options, "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256")
		}
		k.user(options...)
		again, err := os.ReadFile(k.path("again"))
		if err != nil || string(again) != "a short message" {
			t.Errorf("%s: decrypted to %q: %v", mechanism, again, err)
		}
	}
}

// TestToolUsesAES makes an AES key, and encrypts with it and decrypts.
func TestToolUsesAES(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.user("--keygen", "--key-type", "AES:32", "--id", "b1", "--label", "aes")
	mustContain(t, k.user("-O", "--type", "secrkey"), "AES", "aes")
	message := k.write("message", bytes.Repeat([]byte("0123456789abcdef"), 4))
	for _, mechanism := range []string{"AES-CBC", "AES-CBC-PAD"} {
		common := []string{"-m", mechanism, "--id", "b1", "--iv", strings.Repeat("07", 16)}
		k.user(append(common, "--encrypt", "-i", message, "-o", k.path("text"))...)
		k.user(append(common, "--decrypt", "-i", k.path("text"), "-o", k.path("again"))...)
		again, err := os.ReadFile(k.path("again"))
		if err != nil || !bytes.Equal(again, bytes.Repeat([]byte("0123456789abcdef"), 4)) {
			t.Errorf("%s: decrypted to %q: %v", mechanism, again, err)
		}
	}
}

// TestServerOfOpenSSLWithRSA serves TLS with an RSA key of the token, by OpenSSL's engine.
func TestServerOfOpenSSLWithRSA(t *testing.T) {
	t.Parallel()
	harness.Need(t, "curl")
	k := newEngine(t)
	k.generateRSA("a1")
	cert := k.certify("a1")
	address := k.serve("a1", cert)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		out := k.Run("openssl", "s_client", version, "-connect", address, "-CAfile", cert, "-verify_return_error", "-verify_hostname", "localhost", "-brief")
		mustContain(t, out, "Verification: OK")
	}
	out := k.Run("curl", "-sS", "--cacert", cert, "--connect-to", "localhost::"+address, "https://localhost/")
	mustContain(t, out, "s_server")
}
