// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// keyStore makes a token for Java, and returns the options of keytool for it.
func (k *token) keyStore() (config string, options []string) {
	config = k.write("scm.cfg", []byte("name = SCM\nlibrary = "+k.module+"\nslot = 0\n"))
	return config, []string{"-keystore", "NONE", "-storetype", "PKCS11", "-addprovider", "SunPKCS11", "-providerarg", config,
		"-storepass", harness.UserPIN}
}

// TestKeytoolMakesRSA has Java's keytool make an RSA key pair and its certificate on the token.
func TestKeytoolMakesRSA(t *testing.T) {
	t.Parallel()
	harness.Need(t, "keytool")
	k := newToken(t)
	_, store := k.keyStore()
	k.Run("keytool", append([]string{"-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-alias", "web", "-dname", "CN=localhost"}, store...)...)
	mustContain(t, k.Run("keytool", append([]string{"-list"}, store...)...), "web, PrivateKeyEntry")
	k.Run("keytool", append([]string{"-certreq", "-alias", "web", "-file", k.path("web.csr")}, store...)...)
	mustContain(t, k.Run("openssl", "req", "-in", k.path("web.csr"), "-verify", "-noout"), "verify OK")
}

// TestJavaUsesKeys has keytool make keys on curves and a secret key, and testdata/Keys.java use these and others. Its
// templates leave out what a key is for.
func TestJavaUsesKeys(t *testing.T) {
	t.Parallel()
	harness.Need(t, "keytool", "java")
	k := newToken(t)
	config, store := k.keyStore()
	for alias, curve := range map[string]string{"ec256": "secp256r1", "ec384": "secp384r1"} {
		k.Run("keytool", append([]string{"-genkeypair", "-keyalg", "EC", "-groupname", curve, "-alias", alias, "-dname", "CN=localhost"}, store...)...)
	}
	k.Run("keytool", append([]string{"-genseckey", "-keyalg", "AES", "-keysize", "256", "-alias", "aes"}, store...)...)
	used := 0
	for line := range strings.Lines(k.Run("java", "testdata/Keys.java", config, harness.UserPIN)) {
		if used++; !strings.HasSuffix(line, ": ok\n") {
			t.Error(line)
		}
	}
	if used != 24 {
		t.Errorf("%d uses", used)
	}
}
