// SPDX-License-Identifier: Apache-2.0

package util

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHiddenKey: a private key without a public one, as keytool makes them, is seen by its user alone, and that is said to
// everybody else.
func TestHiddenKey(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.hideKey()
	for _, line := range []string{"cert list", "key list"} {
		_, errs := x.mustRun("", words(line)...)
		if !strings.Contains(errs, "is not seen") || !strings.Contains(errs, "--pin-file") {
			t.Errorf("%s: %s", line, errs)
		}
		out, errs := x.mustRun("", words(line+" --pin 12345678")...)
		if strings.Contains(errs, "not seen") || !strings.Contains(out, "hidden") {
			t.Errorf("%s with the PIN: %s%s", line, out, errs)
		}
	}
	for _, line := range []string{"key public --id 0a0b", "snippet python --id 0a0b", "key list --id 0a0b"} {
		_, errs, err := x.run("", words(line)...)
		if exitCode(err) != 1 || !strings.Contains(errs, "--pin-file") || !strings.Contains(errs, "key list --login") {
			t.Errorf("%s: %v: %s", line, err, errs)
		}
		x.mustRun("", words(line+" --pin 12345678")...)
	}
}

// hideKey brings a private key without its public half, and its certificate.
func (x *tool) hideKey() {
	x.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		x.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hidden"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		x.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		x.t.Fatal(err)
	}
	x.bootFile("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	x.bootFile("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})))
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	x.mustRun("", "--import", filepath.Join(x.boot, "key.pem"), "--no-public-key", "--label", "hidden", "--id", "0a0b", "--pin", "12345678")
	x.mustRun("", "cert", "import", filepath.Join(x.boot, "cert.pem"), "--pin", "12345678")
}
