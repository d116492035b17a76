// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// quick bounds the work of one input, that there is time for many.
const quick = mostIterations - 5000

// FuzzPKCS12: no file does harm.
func FuzzPKCS12(f *testing.F) {
	for _, name := range []string{"rfc9579-a1.p12", "rfc9579-a6.p12", "openssl-3.5-pbmac1.p12"} {
		f.Add(sampled(f, name))
	}
	f.Add(nested(f, 2, 3))
	f.Fuzz(func(_ *testing.T, b []byte) {
		text := []byte("1234")
		x := &pkcs12Reader{password: &password{text: text, wide: wideText(text), work: quick}}
		if x.read(b) == nil {
			_, _ = x.objects()
		}
	})
}

// FuzzBags: nor do bags, which a code stands before.
func FuzzBags(f *testing.F) {
	f.Add([]byte{0x30, 0})
	for _, file := range [][]byte{sampled(f, "rfc9579-a1.p12"), nested(f, 3, 1)} {
		f.Add(file) // for its words
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		x := &pkcs12Reader{password: &password{text: []byte{}, wide: wideText(nil), work: quick}}
		if x.readBags(b, 1) == nil {
			_, _ = x.objects()
		}
	})
}

// pemSeeds are files of PEM.
func pemSeeds(f *testing.F) {
	f.Helper()
	for _, name := range []string{"ML-DSA-44.pem", "openssh.pem", "sealed.pem", "legacy.pem", "p224.pem", "certificate.pem"} {
		f.Add(sampled(f, name))
	}
}

// FuzzPEM: no file does harm. The work that a sealed key of OpenSSH asks for has no bound but time: it gets no password.
func FuzzPEM(f *testing.F) {
	pemSeeds(f)
	f.Fuzz(func(_ *testing.T, b []byte) {
		x := &pemReader{password: &password{work: quick}}
		_, _ = x.readAll(b)
		x = &pemReader{password: &password{text: []byte("secret"), work: quick}}
		if !bytes.Contains(b, []byte("OPENSSH")) {
			_, _ = x.readAll(b)
		}
	})
}

// FuzzSSH is the same for what ssh-keygen makes.
func FuzzSSH(f *testing.F) {
	pemSeeds(f)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = readSSH(b, Source{Label: "x"}) })
}

// FuzzSoftDatabase: no file of SoftHSM2's back end of SQLite does harm.
func FuzzSoftDatabase(f *testing.F) {
	dir := f.TempDir()
	if err := sampleToken().writeDatabase(dir); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, softDatabase)
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = Read(Source{Kind: SoftHSM, Path: dir, Password: []byte("1234")})
	})
}

// FuzzPINKey: no PIN of a token and no value of an object that is sealed does harm.
func FuzzPINKey(f *testing.F) {
	t := sampleToken()
	f.Add(t.token[softUserPIN].octets, t.objects[0][3].octets)
	f.Fuzz(func(_ *testing.T, blob, sealed []byte) {
		if key, err := openSoftKey(blob, []byte("1234")); err == nil {
			_, _ = openSoftValue(key, sealed)
		}
		_, _ = openSoftValue(make([]byte, softKeySize), sealed)
	})
}
