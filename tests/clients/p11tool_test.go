// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

const tokenURI = "pkcs11:token=" + harness.Label

// newGnuTLS makes a token for p11tool, which takes the PIN from the environment.
func newGnuTLS(t testing.TB) *token {
	t.Helper()
	harness.Need(t, "p11tool")
	k := newToken(t)
	k.Set("GNUTLS_PIN", harness.UserPIN)
	return k
}

// gnutls runs p11tool, which must end well.
func (k *token) gnutls(args ...string) string {
	k.t.Helper()
	return k.Run("p11tool", append([]string{"--batch", "--provider", k.module}, args...)...)
}

func TestP11toolLists(t *testing.T) {
	t.Parallel()
	k := newGnuTLS(t)
	mustContain(t, k.gnutls("--list-tokens"), "Label: "+harness.Label, "Manufacturer: zk_pkcs11", "Model: Soft SCM", "Requires login")

	public := k.gnutls("--list-all", tokenURI)
	mustContain(t, public, "Type: Public key (EC/ECDSA-SECP256R1)", "Type: Public key (EdDSA (Ed25519))", "object=SCM%20slot%2013")
	if n := strings.Count(public, "type=public"); n != 16 {
		t.Errorf("%d public keys, want 16:\n%s", n, public)
	}
	all := k.gnutls("--login", "--list-all", tokenURI)
	mustContain(t, all, "CKA_PRIVATE; CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE")
	if n := strings.Count(all, "type=private"); n != 16 {
		t.Errorf("%d private keys, want 16:\n%s", n, all)
	}
}

func TestP11toolTestSign(t *testing.T) {
	t.Parallel()
	k := newGnuTLS(t)
	k.generate("prime256v1", "a1")
	for _, id := range []string{"00", "0d", "a1"} {
		out := k.gnutls("--login", "--test-sign", tokenURI+";id=%"+id+";type=private")
		if n := strings.Count(out, "... ok"); n != 3 {
			t.Errorf("key %s: want a signature and two verifications, got:\n%s", id, out)
		}
	}
}

func TestP11toolExports(t *testing.T) {
	t.Parallel()
	k := newGnuTLS(t)
	for _, id := range []string{"00", "0e"} {
		object := tokenURI + ";id=%" + id + ";type=public"
		k.gnutls("--export-pubkey", object, "--outfile", k.path("export-pubkey"))
		k.gnutls("--export", object, "--outfile", k.path("export"))
		want := k.Run("openssl", "pkey", "-pubin", "-in", k.readPublic(id), "-text")
		for _, file := range []string{"export-pubkey", "export"} {
			if got := k.Run("openssl", "pkey", "-pubin", "-in", k.path(file), "-text"); got != want {
				t.Errorf("--%s of key %s:\n%s\npkcs11-tool read:\n%s", file, id, got, want)
			}
		}
	}
}

func TestP11toolWritesCertificate(t *testing.T) {
	t.Parallel()
	harness.Need(t, "certtool")
	k := newGnuTLS(t)
	k.Run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stored",
		"-keyout", k.path("key.pem"), "-out", k.path("cert.pem"))
	k.gnutls("--login", "--write", "--load-certificate", k.path("cert.pem"), "--label", "mine", "--id", "00", tokenURI)
	object := tokenURI + ";object=mine;type=cert"
	k.gnutls("--export", object, "--outfile", k.path("again.pem"))
	want := k.Run("openssl", "x509", "-in", k.path("cert.pem"))
	if got := k.Run("openssl", "x509", "-in", k.path("again.pem")); got != want {
		t.Errorf("read\n%s\nwrote\n%s", got, want)
	}
	k.gnutls("--login", "--delete", object)
	out, _ := k.Try("p11tool", "--batch", "--provider", k.module, "--list-all-certs", tokenURI)
	mustContain(t, out, "No matching objects found")
}
