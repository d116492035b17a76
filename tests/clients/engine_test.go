// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"os/exec"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// needEngine skips the test where OpenSSL has no pkcs11 engine.
func needEngine(t testing.TB) {
	t.Helper()
	harness.Need(t, "openssl")
	if out, err := exec.Command("openssl", "engine", "pkcs11").CombinedOutput(); err != nil {
		t.Skipf("OpenSSL's pkcs11 engine is not installed (libengine-pkcs11-openssl): %s", out)
	}
}

// newEngine makes a token for OpenSSL's engine.
func newEngine(t testing.TB) *token {
	t.Helper()
	needEngine(t)
	k := newToken(t)
	k.Set("PKCS11_MODULE_PATH", k.module)
	return k
}

// engine runs a command of OpenSSL with the engine, whose key is at the end of
// the arguments.
func (k *token) engine(command string, args ...string) (string, error) {
	return k.Try("openssl", append([]string{command, "-engine", "pkcs11"}, args...)...)
}

// mustEngine is engine for commands that have to end well.
func (k *token) mustEngine(command string, args ...string) string {
	k.t.Helper()
	out, err := k.engine(command, args...)
	if err != nil {
		k.t.Fatalf("openssl %s %q: %v\n%s", command, args, err, out)
	}
	return out
}

// certify makes a certificate for localhost that is signed by its own key.
func (k *token) certify(id string) (file string) {
	k.t.Helper()
	file = k.path("cert-" + id + ".pem")
	k.mustEngine("req", "-new", "-x509", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
		"-keyform", "engine", "-key", uri(id, "private"), "-out", file)
	return file
}

// p256 are the keys that the engine of Debian 12 can use.
func p256(k *token) (ids []string) {
	k.generate("prime256v1", "a1")
	return []string{"00", "0d", "a1"}
}

func TestEngineCertifies(t *testing.T) {
	t.Parallel()
	k := newEngine(t)
	for _, id := range p256(k) {
		cert := k.certify(id)
		mustContain(t, k.Run("openssl", "verify", "-CAfile", cert, cert), "OK")

		k.mustEngine("req", "-new", "-subj", "/CN=request", "-keyform", "engine", "-key", uri(id, "private"), "-out", k.path("csr.pem"))
		mustContain(t, k.Run("openssl", "req", "-in", k.path("csr.pem"), "-verify", "-noout"), "verify OK")
	}
}

func TestEngineLoadsPublicKey(t *testing.T) {
	t.Parallel()
	k := newEngine(t)
	for _, id := range p256(k) {
		k.mustEngine("pkey", "-inform", "engine", "-pubin", "-in", uri(id, "public"), "-pubout", "-out", k.path("engine.pem"))
		got, want := k.Run("openssl", "pkey", "-pubin", "-in", k.path("engine.pem")), k.Run("openssl", "pkey", "-pubin", "-in", k.readPublic(id))
		if got != want {
			t.Errorf("the engine loads public key %s as\n%s\npkcs11-tool reads\n%s", id, got, want)
		}
	}
}

func TestEngineSigns(t *testing.T) {
	t.Parallel()
	k := newEngine(t)
	message := k.write("message", []byte("a message"))
	other := k.write("other", []byte("another message"))
	for _, id := range p256(k) {
		for _, hash := range []string{"-sha256", "-sha384", "-sha512"} {
			signature := k.path("signature")
			k.mustEngine("dgst", hash, "-keyform", "engine", "-sign", uri(id, "private"), "-out", signature, message)
			verify := []string{hash, "-keyform", "engine", "-verify", uri(id, "public"), "-signature", signature}
			mustContain(t, k.mustEngine("dgst", append(verify, message)...), "Verified OK")
			if out, err := k.engine("dgst", append(verify, other)...); err == nil {
				t.Errorf("the signature is accepted for another message: %s", out)
			}
		}
	}
}

// TestEngineNeedsQuirk shows what the quirk libp11-key-types is for: libp11
// 0.4.12 gives up all keys of a token when it comes upon an Ed25519 key. 0.4.13 and later
// pass over it.
func TestEngineNeedsQuirk(t *testing.T) {
	t.Parallel()
	k := newEngine(t)
	message := k.write("message", []byte("a message"))
	private := []string{"-sha256", "-keyform", "engine", "-sign", uri("00", "private"), "-out", k.path("signature"), message}
	public := []string{"-inform", "engine", "-pubin", "-in", uri("00", "public"), "-pubout"}
	mended := !harness.OlderPackage(t, "libengine-pkcs11-openssl", "0.4.13")
	for _, test := range []struct {
		quirks string
		works  bool
	}{{"none", mended}, {"auto", true}, {"libp11-key-types", true}, {"openssh-curves", mended}} {
		k.Set("ZK_PKCS11_QUIRKS", test.quirks)
		if out, err := k.engine("dgst", private...); (err == nil) != test.works {
			t.Errorf("quirks %s: private key: %v, want it to work: %v\n%s", test.quirks, err, test.works, out)
		}
		if out, err := k.engine("pkey", public...); (err == nil) != test.works {
			t.Errorf("quirks %s: public key: %v, want it to work: %v\n%s", test.quirks, err, test.works, out)
		}
	}
}

// TestOthersSeeKeysHiddenFromEngine looks at the token of the test above with
// clients that the quirk does not concern.
func TestOthersSeeKeysHiddenFromEngine(t *testing.T) {
	t.Parallel()
	k := newGnuTLS(t)
	for _, quirks := range []string{"auto", "none"} {
		k.Set("ZK_PKCS11_QUIRKS", quirks)
		if n := strings.Count(k.user("-O"), "EC_EDWARDS"); n != 4 {
			t.Errorf("quirks %s: pkcs11-tool sees %d halves of Ed25519 keys, want 4", quirks, n)
		}
		if n := strings.Count(k.gnutls("--login", "--list-all", tokenURI), "Ed25519"); n != 4 {
			t.Errorf("quirks %s: p11tool sees %d halves of Ed25519 keys, want 4", quirks, n)
		}
	}
}
