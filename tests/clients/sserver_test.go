// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"fmt"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// serve starts openssl s_server with a key of the token. It is stopped at the
// end of the test.
func (k *token) serve(id, cert string) (address string) {
	k.t.Helper()
	address = fmt.Sprintf("127.0.0.1:%d", harness.FreePort(k.t))
	cmd := k.Command("openssl", "s_server", "-engine", "pkcs11", "-keyform", "engine", "-key", uri(id, "private"),
		"-cert", cert, "-accept", address, "-www")
	k.served(cmd, address)
	return address
}

func TestServerOfOpenSSL(t *testing.T) {
	t.Parallel()
	harness.Need(t, "curl")
	k := newEngine(t)
	for _, id := range p256(k) {
		cert := k.certify(id)
		address := k.serve(id, cert)

		out := k.Run("openssl", "s_client", "-connect", address, "-CAfile", cert, "-verify_return_error", "-verify_hostname", "localhost", "-brief")
		mustContain(t, out, "Verification: OK", "Signature type: ") // ECDSA, or ecdsa_secp256r1_sha256 from OpenSSL 3.5 on

		out = k.Run("curl", "-sS", "--cacert", cert, "--connect-to", "localhost::"+address, "https://localhost/")
		mustContain(t, out, "s_server")

		handshakes(t, address, cert, 20)
	}
}

// TestServerNeedsItsOwnKey shows that the tests above would notice a signature
// by another key.
func TestServerNeedsItsOwnKey(t *testing.T) {
	t.Parallel()
	k := newEngine(t)
	cert, other := k.certify("00"), k.certify("01")
	address := k.serve("01", other)
	out, err := k.Try("openssl", "s_client", "-connect", address, "-CAfile", cert, "-verify_return_error", "-brief")
	if err == nil {
		t.Errorf("a client that trusts another certificate is content:\n%s", out)
	}
}
