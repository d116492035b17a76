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

// TestJavaUsesKeys has keytool make an RSA key with its default settings, keys on curves and a secret key, and testdata/Keys.java use
// these and others. Its templates leave out what a key is for.
func TestJavaUsesKeys(t *testing.T) {
	t.Parallel()
	harness.Need(t, "keytool", "java")
	k := newToken(t)
	config, store := k.keyStore()
	for alias, curve := range map[string]string{"ec256": "secp256r1", "ec384": "secp384r1"} {
		k.Run("keytool", append([]string{"-genkeypair", "-keyalg", "EC", "-groupname", curve, "-alias", alias, "-dname", "CN=localhost"}, store...)...)
	}
	k.Run("keytool", append([]string{"-genkeypair", "-keyalg", "RSA", "-alias", "rsa", "-dname", "CN=localhost"}, store...)...)
	k.Run("keytool", append([]string{"-certreq", "-alias", "rsa", "-file", k.path("rsa.csr")}, store...)...)
	mustContain(t, k.Run("openssl", "req", "-in", k.path("rsa.csr"), "-verify", "-noout"), "verify OK")
	k.Run("keytool", append([]string{"-genseckey", "-keyalg", "AES", "-keysize", "256", "-alias", "aes"}, store...)...)
	used := 0
	for line := range strings.Lines(k.Run("java", "testdata/Keys.java", config, harness.UserPIN)) {
		if used++; !strings.HasSuffix(line, ": ok\n") {
			t.Error(line)
		}
	}
	if used != 27 {
		t.Errorf("%d uses", used)
	}
}
