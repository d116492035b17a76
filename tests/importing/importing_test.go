// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// tool is zk_pkcs11-util import into a token.
type tool struct {
	t    *testing.T
	home *harness.Home
}

// newTarget is a token to bring objects to, in this process and for the tool.
func newTarget(t *testing.T) (*live.Token, *tool) {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	return live.Load(t, home), &tool{t, home}
}

func (x *tool) run(args ...string) (string, error) {
	x.t.Helper()
	return x.home.Try(harness.Build(x.t, "zk_pkcs11-util"), append([]string{"import", "--pin", harness.UserPIN}, args...)...)
}

func (x *tool) must(args ...string) string {
	x.t.Helper()
	out, err := x.run(args...)
	if err != nil {
		x.t.Fatalf("import %q: %v\n%s", args, err, out)
	}
	return out
}

// partly runs an import that leaves some objects behind, which it has to tell by how it ends.
func (x *tool) partly(args ...string) string {
	x.t.Helper()
	out, err := x.run(args...)
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 4 || !strings.Contains(out, "did not come over; the table says of each why") {
		x.t.Fatalf("import %q: %v, not 4\n%s", args, err, out)
	}
	return out
}

// fails runs an import that must end badly, with why in its one line.
func (x *tool) fails(why string, args ...string) {
	x.t.Helper()
	out, err := x.run(args...)
	if err == nil || !strings.Contains(out, why) || strings.Count(out, "\n") != 1 {
		x.t.Errorf("import %q: %v, %q, want %q", args, err, out, why)
	}
}

// selfSigned is a certificate of a new key.
func selfSigned(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// made is a folder in which commands make files.
type made struct {
	t   *testing.T
	dir string
}

// run runs a command; NONE at its end is an empty argument.
func (m made) run(line string) {
	m.t.Helper()
	args := strings.Fields(line)
	if args[len(args)-1] == "NONE" {
		args[len(args)-1] = ""
	}
	harness.Need(m.t, args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func (m made) path(name string) string { return filepath.Join(m.dir, name) }

// soaks reports whether to take the time for what a release is tried with.
func soaks() bool { return os.Getenv("ZK_SOAK") != "" }

// TestFiles: keys that openssl, ssh-keygen and keytool have made come over, and sign as before.
func TestFiles(t *testing.T) {
	m := made{t, t.TempDir()}
	m.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -subj /CN=server -days 9")
	m.run("openssl pkcs12 -export -inkey rsa.key -in rsa.crt -out old.p12 -passout pass:secret -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1")
	m.run("openssl ecparam -genkey -name secp384r1 -out ec.pem")
	m.run("openssl pkcs8 -topk8 -in ec.pem -v2 aes-256-cbc -passout pass:secret -out sealed.pem")
	m.run("openssl genpkey -algorithm ed25519 -out ed.pem")
	m.run("openssl req -x509 -key ed.pem -out ed.crt -subj /CN=ed -days 9")
	m.run("openssl pkcs12 -export -inkey ed.pem -in ed.crt -out aes.p12 -passout pass:secret -keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256")
	m.run("openssl pkcs12 -export -legacy -inkey ed.pem -in ed.crt -name rc2 -out rc2.p12 -passout pass:secret") // 3DES and RC2
	m.run("openssl pkcs8 -topk8 -in ec.pem -scrypt -passout pass:secret -out scrypt.pem")
	m.run("openssl ecparam -genkey -noout -name secp256k1 -out k1.pem")
	m.run("openssl ec -in k1.pem -aes128 -passout pass:secret -out legacy.pem")
	m.run("openssl ecparam -genkey -name secp224r1 -out p224.pem")
	m.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.pem")
	m.run("ssh-keygen -q -t rsa -b 2048 -f id_rsa -N NONE")
	m.run("ssh-keygen -q -t ecdsa -N secret -f id_ecdsa")
	m.run("keytool -genkeypair -alias web -keyalg EC -groupname secp256r1 -dname CN=java -keystore java.p12 -storetype PKCS12 -storepass secret")
	m.run("keytool -genkeypair -alias mail -keyalg RSA -dname CN=mail -keystore java.p12 -storepass secret")
	pbmac1, err := filepath.Rel(m.dir, filepath.Join(harness.Root(t), "internal/importer/testdata/openssl-3.5-pbmac1.p12"))
	if err != nil {
		t.Fatal(err)
	}
	k, tool := newTarget(t)
	session := k.User()
	for _, f := range []struct {
		kind, name, label string
		password          bool
		mechanism         uint
		objects           string
	}{
		{"pkcs12", "old.p12", "old", true, pkcs11.CKM_SHA256_RSA_PKCS, "3 of 3"},
		{"pem", "ec.pem", "ec", false, pkcs11.CKM_ECDSA_SHA256, "2 of 2"},
		{"pem", "sealed.pem", "ec", true, pkcs11.CKM_ECDSA_SHA256, "0 of 2"}, // the same key
		{"pkcs12", "aes.p12", "aes", true, ckmEdDSA, "3 of 3"},
		{"ssh", "id_rsa", "id_rsa", false, pkcs11.CKM_SHA256_RSA_PKCS, "2 of 2"},
		{"ssh", "id_ecdsa", "id_ecdsa", true, pkcs11.CKM_ECDSA_SHA256, "2 of 2"},
		{"pkcs12", "java.p12", "web", true, pkcs11.CKM_ECDSA_SHA256, "6 of 6"}, // and mail
		{"pkcs12", "rc2.p12", "aes", true, ckmEdDSA, "0 of 3"},
		{"pem", "scrypt.pem", "ec", true, pkcs11.CKM_ECDSA_SHA256, "0 of 2"},
		{"pem", "k1.pem", "k1", false, pkcs11.CKM_ECDSA_SHA256, "2 of 2"},
		{"pem", "legacy.pem", "k1", true, pkcs11.CKM_ECDSA_SHA256, "0 of 2"},
		{"pem", "p224.pem", "p224", false, pkcs11.CKM_ECDSA_SHA256, "2 of 2"},
		{"pem", "p521.pem", "p521", false, pkcs11.CKM_ECDSA_SHA256, "2 of 2"},
		{"pkcs12", pbmac1, "pbmac", true, pkcs11.CKM_SHA256_RSA_PKCS, "3 of 3"},
	} {
		args := []string{f.kind, m.path(f.name)}
		if f.password {
			if soaks() || f.name == "java.p12" || f.name == "id_ecdsa" || f.name == "sealed.pem" {
				tool.fails("the password is wrong", append(args, "--from-pin", "wrong")...)
			}
			args = append(args, "--from-pin", "secret")
		}
		if out := tool.must(args...); !strings.Contains(out, f.objects+" objects imported") {
			t.Errorf("%s: %s", f.name, out)
		}
		private := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_LABEL, f.label))
		public := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_LABEL, f.label))
		data := []byte("what is signed")
		k.OK(k.Verified(session, f.mechanism, public, data, k.Signed(session, f.mechanism, private, data)))
		if !soaks() && f.name != "java.p12" {
			continue
		}
		if again := tool.must(args...); !strings.Contains(again, "0 of ") {
			t.Errorf("%s, a second run: %s", f.name, again)
		}
	}
	want, err := os.ReadFile(m.path("rsa.crt"))
	if err != nil {
		t.Fatal(err)
	}
	der := k.Attr(session, k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), attr(pkcs11.CKA_LABEL, "old")), pkcs11.CKA_VALUE)
	if !bytes.Equal(bytes.TrimSpace(want), bytes.TrimSpace(pemOf(der))) {
		t.Error("the certificate is another one")
	}
}

// TestBadFiles: garbage, cut files and bombs cost one line each, and leave nothing.
func TestBadFiles(t *testing.T) {
	m := made{t, t.TempDir()}
	m.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=x -days 9")
	m.run("openssl pkcs12 -export -inkey k.pem -in c.pem -out s.p12 -passout pass:secret")
	m.run("openssl pkcs12 -export -inkey k.pem -in c.pem -out bomb.p12 -passout pass:secret -iter 65537 -nomac")
	k, tool := newTarget(t)
	read := func(name string) []byte {
		b, err := os.ReadFile(m.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(name string, b []byte) string {
		if err := os.WriteFile(m.path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		return m.path(name)
	}
	whole, p12 := append(read("k.pem"), read("c.pem")...), read("s.p12")
	tool.fails("cut or damaged", "pem", write("cut.pem", whole[:len(whole)-40]))
	tool.fails("cut or damaged", "pem", write("garbage.pem", append(read("k.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"...)))
	tool.fails("there is nothing to bring over", "pem", write("text.pem", []byte("no key at all")))
	tool.fails("which is not known", "pem", write("odd.pem", []byte("-----BEGIN ODD-----\nAAAA\n-----END ODD-----\n")))
	for _, n := range []int{0, len(p12) / 2, len(p12) - 1} { // importer.TestCutPKCS12 has all
		tool.fails("cut or damaged", "pkcs12", write("cut.p12", p12[:n]), "--from-pin", "secret")
	}
	tool.fails("nothing was imported", "pkcs12", write("bomb.p12", bytes.ReplaceAll(read("bomb.p12"), []byte{2, 3, 1, 0, 1}, []byte{2, 3, 0x7f, 0xff, 0xff})), "--from-pin", "secret")
	tool.fails("nothing was imported", "ssh", write("cut.ssh", whole[:60]))
	if found := k.Find(k.User(), attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE)); len(found) > 0 {
		t.Errorf("%d certificates came over", len(found))
	}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
