// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestOtherForms: a file in a form that the command does not read is told by its form, with the command that reads it.
func TestOtherForms(t *testing.T) {
	m := made{t, t.TempDir()}
	m.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=x -days 9")
	m.run("openssl pkcs12 -export -inkey k.pem -in c.pem -out k.p12 -passout pass:secret")
	m.run("openssl pkey -in k.pem -outform DER -out k.der")
	m.run("openssl ec -in k.pem -outform DER -out sec1.der")
	m.run("openssl pkcs8 -topk8 -in k.pem -outform DER -out sealed.der -passout pass:secret")
	m.run("openssl genrsa -traditional -out rsa.pem 2048")
	m.run("openssl rsa -in rsa.pem -traditional -outform DER -out rsa.der")
	m.run("openssl x509 -in c.pem -outform DER -out c.der")
	m.run("ssh-keygen -q -t ed25519 -f id_ed25519 -N NONE")
	m.run("openssl pkey -in k.pem -pubout -out public.pem")
	m.run("openssl pkey -in k.pem -pubout -outform DER -out public.der")
	m.run("openssl req -new -key k.pem -subj /CN=x -out request.pem")
	m.run("cp c.pem bundle.pem")
	m.run("dd if=k.pem of=bundle.pem oflag=append conv=notrunc status=none")
	m.run("dd if=public.pem of=bundle.pem oflag=append conv=notrunc status=none") // which nobody misses
	_, tool := newTarget(t)
	for _, f := range []struct{ kind, file, is, next string }{
		{"pem", "k.p12", "PKCS #12", `"import pkcs12 ` + m.path("k.p12") + `" reads it`},
		{"ssh", "k.p12", "PKCS #12", `"import pkcs12 ` + m.path("k.p12") + `" reads it`},
		{"pem", "k.der", "a private key in DER", `"openssl pkey -inform DER -in ` + m.path("k.der")},
		{"pkcs12", "sec1.der", "a private key in DER", `"openssl pkey -inform DER -in ` + m.path("sec1.der")},
		{"pem", "sealed.der", "a private key in DER", `"openssl pkey -inform DER -in ` + m.path("sealed.der")},
		{"pem", "rsa.der", "a private key in DER", `"openssl pkey -inform DER -in ` + m.path("rsa.der")},
		{"pem", "c.der", "a certificate in DER, without a private key", `"openssl x509 -inform DER -in ` + m.path("c.der")},
		{"pkcs12", "k.pem", "PEM", `"import pem ` + m.path("k.pem") + `" reads it`},
		{"pkcs12", "c.pem", "a certificate in PEM, without a private key", `"import pem ` + m.path("c.pem") + `" reads it`},
		{"ssh", "c.pem", "a certificate in PEM, without a private key", `"import pem ` + m.path("c.pem") + `" reads it`},
		{"pkcs12", "id_ed25519", "a private key of OpenSSH", `"import ssh ` + m.path("id_ed25519") + `" reads it`},
		{"ssh", "id_ed25519.pub", "a public key of OpenSSH", `its private key is in the file without .pub: "import ssh ` + m.path("id_ed25519") + `"`},
		{"pem", "id_ed25519.pub", "a public key of OpenSSH", `its private key is in the file without .pub: "import ssh ` + m.path("id_ed25519") + `"`},
		{"pem", "public.pem", "a public key, without its private one", "name the file with the private key"},
		{"ssh", "public.der", "a public key, without its private one", "name the file with the private key"},
		{"pem", "request.pem", "a request for a certificate", "name the file with the private key"},
		{"ssh", "bundle.pem", "PEM that does not begin with a private key", `"import pem ` + m.path("bundle.pem") + `" reads it`},
		{"softhsm", "k.p12", "PKCS #12", `"import pkcs12 ` + m.path("k.p12") + `" reads it`},
	} {
		tool.fails("it is "+f.is+"; nothing was imported: "+f.next, f.kind, m.path(f.file), "--from-pin", "secret")
	}
	tool.fails(`it is PKCS #12; nothing was imported: "import pkcs12 `, "--from", m.path("k.p12"), "--from-pin", "1234")
	tool.fails("the password is wrong; nothing was imported: give the password of the file by --from-pin-file", "pkcs12", m.path("k.p12"), "--from-pin", "bad")
	for _, right := range [][2]string{{"pem", "id_ed25519"}, {"ssh", "k.pem"}, {"ssh", "rsa.pem"}, {"pem", "c.pem"}, {"pem", "bundle.pem"}} {
		tool.must(right[0], m.path(right[1]))
	}
}

// TestSoftHSMByFile: a token of SoftHSM2 is named by its directory, and what names a file of it or imports it as a file is told so.
func TestSoftHSMByFile(t *testing.T) {
	s := newSoftHSM(t)
	_, tool := newTarget(t)
	tool.fails(`it is a directory with tokens of SoftHSM2; nothing was imported: "import softhsm `+s.dir+`" reads it`, "pem", s.dir, "--from-pin", softPIN)
	tool.fails(`it is a directory with tokens of SoftHSM2; nothing was imported: "import softhsm `+s.dir+`" reads it`, "--from", s.dir, "--from-pin", softPIN)
	tool.fails(`it is the directory above that of tokens; nothing was imported: "import softhsm `+s.dir+`" reads it`, "softhsm", filepath.Dir(s.dir), "--from-pin", softPIN)
	tool.fails("there is no such file, and no library of this name", "--from", "/no/such/library.so", "--from-pin", softPIN)
	tool.fails(`it is a file of a token of SoftHSM2; nothing was imported: "import softhsm `, "softhsm", s.objectFile(), "--from-pin", softPIN)
}

// TestTokensOfOneLabel: of two tokens with one label one is named by its directory.
func TestTokensOfOneLabel(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p256", true, ofCurve("p256"))
	first := filepath.Dir(s.objectFile())
	if err := os.CopyFS(filepath.Join(s.dir, "copy"), os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	_, tool := newTarget(t)
	tool.fails(`it is a directory with 2 tokens of the label "old"; nothing was imported: name one by its directory, such as `+s.dir, "softhsm", s.dir, "--token", "old", "--from-pin", softPIN)
	shows(t, tool.must("softhsm", first, "--token", "old", "--from-pin", softPIN), "2 of 2 objects imported")
}

// TestWhichPIN: of the two PINs of an import the one that is refused is told, with its token and how the two are named.
func TestWhichPIN(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p256", true, ofCurve("p256"))
	home := harness.NewHome(t)
	home.Init()
	out, err := home.Try(harness.Build(t, "zk_pkcs11-util"), "import", "softhsm", s.dir, "--token", "old", "--from-pin", softPIN, "--pin", "567890")
	if err == nil {
		t.Errorf("a wrong PIN is taken: %s", out)
	}
	shows(t, out, `the PIN is wrong.*User PIN of the token that the import goes to \(slot 0, label "`+harness.Label+`"\): 9 tries left; --token and --from-pin are those of the token that is read, --to-token or`)
}

// objectFile is a file of the token.
func (s *softHSM) objectFile() string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*", "token.object"))
	if err != nil || len(files) != 1 {
		s.t.Fatalf("%q, %v", files, err)
	}
	return files[0]
}
