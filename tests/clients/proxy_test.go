// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// newProxy makes a sandbox in which the module and SoftHSM2, each with a token,
// are behind p11-kit's proxy, and returns the path of that.
func newProxy(t testing.TB) (s *sandbox, proxy string) {
	t.Helper()
	harness.Need(t, "pkcs11-tool", "softhsm2-util")
	found, err := filepath.Glob("/usr/lib/*/p11-kit-proxy.so")
	if err != nil || len(found) == 0 {
		t.Skip("p11-kit-proxy.so is not installed (p11-kit-modules)")
	}
	s = newP11Kit(t)
	s.initToken()
	tokens := filepath.Join(s.home(), "softhsm")
	s.check(os.Mkdir(tokens, 0o700))
	s.give(tokens)
	conf := filepath.Join(s.home(), "softhsm.conf")
	s.check(os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\n"), 0o644))
	s.check(os.WriteFile(filepath.Join(s.home(), ".config/pkcs11/modules/softhsm.module"), []byte("module: "+softHSM+"\n"), 0o644))
	s.env = append(s.env, "SOFTHSM2_CONF="+conf)
	s.run("softhsm2-util", "--init-token", "--free", "--label", "softhsm", "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	return s, found[0]
}

// TestProxyBesideAnotherModule signs with keys of both modules in programs that
// have loaded both.
func TestProxyBesideAnotherModule(t *testing.T) {
	t.Parallel()
	s, proxy := newProxy(t)
	mustContain(t, s.run("pkcs11-tool", "--module", proxy, "-L"), harness.Label, "softhsm")
	digest := sha256.Sum256([]byte("a message"))
	s.check(os.WriteFile(filepath.Join(s.home(), "digest"), digest[:], 0o644))
	for _, token := range []string{harness.Label, "softhsm"} {
		tool := func(args ...string) {
			t.Helper()
			s.run("pkcs11-tool", append([]string{"--module", proxy, "--token-label", token, "--login", "--pin", harness.UserPIN, "--id", "a1"}, args...)...)
		}
		tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "new")
		tool("--sign", "--mechanism", "ECDSA", "-i", "digest", "-o", "signature", "--signature-format", "openssl")
		tool("--read-object", "--type", "pubkey", "-o", "key.der")
		s.run("openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-in", "digest", "-sigfile", "signature")
	}
}
