// SPDX-License-Identifier: Apache-2.0

// Package importing_test brings keys of other programs into a token by zk_pkcs11-util, and uses them there.
package importing_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// softPIN is the user PIN of the tokens of SoftHSM2.
const softPIN = "1234"

const softModule = "/usr/lib/softhsm/libsofthsm2.so"

// newSoftHSM makes a token of Debian's SoftHSM2.
func newSoftHSM(t *testing.T) *softHSM {
	t.Helper()
	return newSoftHSMOf(t, softModule, "file")
}

// softHSM is a token of SoftHSM2, in this process.
type softHSM struct {
	*pkcs11.Ctx
	t       *testing.T
	dir     string
	session pkcs11.SessionHandle
}

// newSoftHSMOf makes a token of a back end of SoftHSM2.
func newSoftHSMOf(t *testing.T, module, backEnd string) *softHSM {
	t.Helper()
	harness.Need(t, "softhsm2-util")
	dir := t.TempDir()
	conf, tokens := filepath.Join(dir, "softhsm2.conf"), filepath.Join(dir, "tokens")
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = " + backEnd + "\nlog.level = ERROR\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	s := &softHSM{pkcs11.New(module), t, tokens, 0}
	if s.Ctx == nil {
		t.Fatalf("softhsm2-util is installed, and %s does not load", module)
	}
	s.ok(s.Initialize())
	t.Cleanup(func() { _ = s.Finalize(); s.Destroy() })
	slots, err := s.GetSlotList(true)
	s.ok(err)
	s.ok(s.InitToken(slots[0], "5678", "old"))
	slots, err = s.GetSlotList(true) // it is in another one now
	s.ok(err)
	for _, slot := range slots {
		if info, err := s.GetTokenInfo(slot); err != nil || strings.TrimRight(info.Label, " ") != "old" {
			continue
		}
		s.session, err = s.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		s.ok(err)
	}
	s.ok(s.Login(s.session, pkcs11.CKU_SO, "5678"))
	s.ok(s.InitPIN(s.session, softPIN))
	s.ok(s.Logout(s.session))
	s.ok(s.Login(s.session, pkcs11.CKU_USER, softPIN))
	return s
}

func (s *softHSM) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// attr is a shorter pkcs11.NewAttribute.
func attr(kind uint, v any) *pkcs11.Attribute { return pkcs11.NewAttribute(kind, v) }

// named are the attributes of a token object.
func named(label string, more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, label)}, more...)
}

// pair makes a key pair; extractable says what its private key is.
func (s *softHSM) pair(mechanism uint, label string, extractable bool, public ...*pkcs11.Attribute) {
	s.t.Helper()
	s.pairOf(mechanism, label, []byte(label), extractable, public...)
}

// pairOf is pair with a CKA_ID.
func (s *softHSM) pairOf(mechanism uint, label string, cka []byte, extractable bool, public ...*pkcs11.Attribute) {
	s.t.Helper()
	id := attr(pkcs11.CKA_ID, cka)
	_, _, err := s.GenerateKeyPair(s.session, live.Mechanism(mechanism),
		named(label, append(public, id, attr(pkcs11.CKA_VERIFY, true))...),
		named(label, id, attr(pkcs11.CKA_SIGN, true), attr(pkcs11.CKA_DERIVE, true), attr(pkcs11.CKA_EXTRACTABLE, extractable), attr(pkcs11.CKA_SENSITIVE, true), attr(pkcs11.CKA_PRIVATE, true)))
	s.ok(err)
}

// object makes an object.
func (s *softHSM) object(label string, template ...*pkcs11.Attribute) {
	s.t.Helper()
	_, err := s.CreateObject(s.session, named(label, template...))
	s.ok(err)
}

// ofCurve is the CKA_EC_PARAMS of a curve.
func ofCurve(name string) *pkcs11.Attribute {
	return attr(pkcs11.CKA_EC_PARAMS, map[string][]byte{
		"p256": {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, "p384": {6, 5, 0x2b, 0x81, 4, 0, 34}, "p521": {6, 5, 0x2b, 0x81, 4, 0, 35},
		"p224": {6, 5, 0x2b, 0x81, 4, 0, 33}, "k1": {6, 5, 0x2b, 0x81, 4, 0, 10}, "brainpool": {6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7},
		"ed": {6, 3, 0x2b, 0x65, 0x70}, "x": {6, 3, 0x2b, 0x65, 0x6e},
	}[name])
}

const ckmEdwardsPair, ckmEdDSA = 0x1055, 0x1057

// furnish makes 25 objects of all kinds.
func (s *softHSM) furnish() {
	rsa := []*pkcs11.Attribute{attr(pkcs11.CKA_MODULUS_BITS, 2048), attr(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}), attr(pkcs11.CKA_ENCRYPT, true)}
	s.pair(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, "rsa-stays", false, rsa...)
	s.pair(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, "rsa-goes", true, rsa...)
	for i, curve := range []string{"p256", "p384", "p521"} {
		s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, curve, i == 1, ofCurve(curve))
	}
	s.pair(ckmEdwardsPair, "ed", false, ofCurve("ed"))
	value := func(n int) *pkcs11.Attribute {
		b := make([]byte, n)
		rand.Read(b) // never fails
		return attr(pkcs11.CKA_VALUE, b)
	}
	secret := attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY)
	for label, private := range map[string]bool{"aes-private": true, "aes-public": false, "aes-other": true} {
		s.object(label, secret, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES), value(32), attr(pkcs11.CKA_PRIVATE, private),
			attr(pkcs11.CKA_SENSITIVE, private), attr(pkcs11.CKA_EXTRACTABLE, label == "aes-public"), attr(pkcs11.CKA_ENCRYPT, true), attr(pkcs11.CKA_DECRYPT, true))
	}
	for label, private := range map[string]bool{"mac-private": true, "mac-public": false, "mac-other": true} {
		s.object(label, secret, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET), value(40), attr(pkcs11.CKA_PRIVATE, private),
			attr(pkcs11.CKA_SENSITIVE, private), attr(pkcs11.CKA_EXTRACTABLE, !private), attr(pkcs11.CKA_SIGN, true), attr(pkcs11.CKA_VERIFY, true))
	}
	s.object("des", secret, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_DES3), value(24), attr(pkcs11.CKA_PRIVATE, true))
	for i := range 3 {
		label := fmt.Sprint("certificate-", i)
		s.object(label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), attr(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509), attr(pkcs11.CKA_PRIVATE, i == 2),
			attr(pkcs11.CKA_SUBJECT, []byte{0x30, 0}), attr(pkcs11.CKA_VALUE, selfSigned(s.t, label)), attr(pkcs11.CKA_ID, []byte(label)))
		s.object(fmt.Sprint("data-", i), attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), attr(pkcs11.CKA_PRIVATE, i > 0), attr(pkcs11.CKA_APPLICATION, "tests"), value(100*i+1))
	}
}

// find finds the object with a class and a label.
func (s *softHSM) find(class uint, label string) pkcs11.ObjectHandle {
	s.t.Helper()
	s.ok(s.FindObjectsInit(s.session, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, class), attr(pkcs11.CKA_LABEL, label)}))
	found, _, err := s.FindObjects(s.session, 2)
	s.ok(err)
	s.ok(s.FindObjectsFinal(s.session))
	if len(found) != 1 {
		s.t.Fatalf("%d objects %q", len(found), label)
	}
	return found[0]
}

// TestSoftHSM: of 25 objects of a token of SoftHSM2 all but one come over, keys that are not extractable too, and
// agree with what SoftHSM2 does with them. A second run adds nothing.
func TestSoftHSM(t *testing.T) {
	s := newSoftHSM(t)
	s.furnish()
	s.comesOver()
}

// TestSoftHSMDatabase is the same with the back end of SQLite, of a SoftHSM2 that has it (ZK_SOFTHSM_SQLITE names its
// library); Debian's has not. TestRecorded reads what that one has made.
func TestSoftHSMDatabase(t *testing.T) {
	module := os.Getenv("ZK_SOFTHSM_SQLITE")
	if module == "" {
		t.Skip("ZK_SOFTHSM_SQLITE names no library of SoftHSM2 with the back end of SQLite")
	}
	s := newSoftHSMOf(t, module, "db")
	s.furnish()
	s.comesOver()
}

func (s *softHSM) comesOver() {
	t := s.t
	t.Helper()
	k, tool := newTarget(t)
	out := tool.partly("softhsm", s.dir, "--from-pin", softPIN)
	if strings.Count(out, "\n") != 29 || strings.Count(out, "imported\n") != 25 || !strings.Contains(out, "24 of 25 objects imported") ||
		!strings.Contains(out, "not imported: there are no keys of type DES3 here") {
		t.Errorf("%s", out)
	}
	if again := tool.partly("softhsm", s.dir, "--from-pin", softPIN); !strings.Contains(again, "0 of 25 objects imported") || strings.Count(again, "was there") != 24 {
		t.Errorf("a second run: %s", again)
	}
	b := &both{s, k, k.User()}
	b.rsaAgrees()
	b.curvesAgree()
	b.secretsAgree()
	b.valuesAgree()
}

// both are a token of SoftHSM2 and the one that its objects came to.
type both struct {
	*softHSM
	k       *live.Token
	session pkcs11.SessionHandle
}

// ours is the object here.
func (b *both) ours(class uint, label string) pkcs11.ObjectHandle {
	b.t.Helper()
	return b.k.One(b.session, attr(pkcs11.CKA_CLASS, class), attr(pkcs11.CKA_LABEL, label))
}

// text is what is signed and sealed, and empty an initial vector.
var text, empty = []byte("what is signed and sealed"), make([]byte, 16)

func (b *both) rsaAgrees() {
	for _, label := range []string{"rsa-stays", "rsa-goes"} {
		mine := b.k.Signed(b.session, pkcs11.CKM_SHA256_RSA_PKCS, b.ours(pkcs11.CKO_PRIVATE_KEY, label), text)
		if !bytes.Equal(mine, b.sign(pkcs11.CKM_SHA256_RSA_PKCS, label, text)) {
			b.t.Errorf("%s: another signature", label)
		}
		sealed := b.seal(pkcs11.CKM_RSA_PKCS, b.find(pkcs11.CKO_PUBLIC_KEY, label))
		b.opens(label, live.Mechanism(pkcs11.CKM_RSA_PKCS), b.ours(pkcs11.CKO_PRIVATE_KEY, label), sealed)
	}
	if extractable := b.k.Attr(b.session, b.ours(pkcs11.CKO_PRIVATE_KEY, "rsa-stays"), pkcs11.CKA_EXTRACTABLE); extractable[0] != 0 {
		b.t.Error("a key that was not extractable is")
	}
}

// opens looks whether the key here opens what was sealed.
func (b *both) opens(label string, mechanism []*pkcs11.Mechanism, key pkcs11.ObjectHandle, sealed []byte) {
	b.t.Helper()
	b.k.OK(b.k.DecryptInit(b.session, mechanism, key))
	if plain, err := b.k.Decrypt(b.session, sealed); err != nil || !bytes.Equal(plain, text) {
		b.t.Errorf("%s: decrypted %q, %v", label, plain, err)
	}
}

func (b *both) curvesAgree() {
	digest := sha256.Sum256(text)
	for _, label := range []string{"p256", "p384", "p521"} {
		mine := b.k.Signed(b.session, pkcs11.CKM_ECDSA, b.ours(pkcs11.CKO_PRIVATE_KEY, label), digest[:])
		b.ok(b.VerifyInit(b.softHSM.session, live.Mechanism(pkcs11.CKM_ECDSA), b.find(pkcs11.CKO_PUBLIC_KEY, label)))
		b.ok(b.Verify(b.softHSM.session, digest[:], mine))
		theirs := b.sign(pkcs11.CKM_ECDSA, label, digest[:])
		b.k.OK(b.k.Verified(b.session, pkcs11.CKM_ECDSA, b.ours(pkcs11.CKO_PUBLIC_KEY, label), digest[:], theirs))
	}
	if mine := b.k.Signed(b.session, ckmEdDSA, b.ours(pkcs11.CKO_PRIVATE_KEY, "ed"), text); !bytes.Equal(mine, b.sign(ckmEdDSA, "ed", text)) {
		b.t.Error("Ed25519: another signature")
	}
}

func (b *both) secretsAgree() {
	for _, label := range []string{"mac-private", "mac-public", "mac-other"} {
		mine := b.k.Signed(b.session, pkcs11.CKM_SHA256_HMAC, b.ours(pkcs11.CKO_SECRET_KEY, label), text)
		if !bytes.Equal(mine, b.mac(label, text)) {
			b.t.Errorf("%s: another code", label)
		}
	}
	for _, label := range []string{"aes-private", "aes-public", "aes-other"} {
		sealed := b.seal(pkcs11.CKM_AES_CBC_PAD, b.find(pkcs11.CKO_SECRET_KEY, label))
		b.opens(label, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_CBC_PAD, empty)}, b.ours(pkcs11.CKO_SECRET_KEY, label), sealed)
	}
}

func (b *both) valuesAgree() {
	for i := range 3 {
		for class, label := range map[uint]string{pkcs11.CKO_CERTIFICATE: "certificate-", pkcs11.CKO_DATA: "data-"} {
			label = fmt.Sprint(label, i)
			if mine := b.k.Attr(b.session, b.ours(class, label), pkcs11.CKA_VALUE); !bytes.Equal(mine, b.attribute(b.find(class, label), pkcs11.CKA_VALUE)) {
				b.t.Errorf("%s has another value", label)
			}
		}
	}
}

func (s *softHSM) attribute(o pkcs11.ObjectHandle, kind uint) []byte {
	s.t.Helper()
	got, err := s.GetAttributeValue(s.session, o, []*pkcs11.Attribute{attr(kind, nil)})
	s.ok(err)
	return got[0].Value
}

// seal encrypts text, by AES with an initial vector of zeros.
func (s *softHSM) seal(mechanism uint, key pkcs11.ObjectHandle) []byte {
	s.t.Helper()
	with := live.Mechanism(mechanism)
	if mechanism == pkcs11.CKM_AES_CBC_PAD {
		with = []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, empty)}
	}
	s.ok(s.EncryptInit(s.session, with, key))
	sealed, err := s.Encrypt(s.session, text)
	s.ok(err)
	return sealed
}

func (s *softHSM) sign(mechanism uint, label string, data []byte) []byte {
	s.t.Helper()
	return s.signWith(mechanism, s.find(pkcs11.CKO_PRIVATE_KEY, label), data)
}

func (s *softHSM) mac(label string, data []byte) []byte {
	s.t.Helper()
	return s.signWith(pkcs11.CKM_SHA256_HMAC, s.find(pkcs11.CKO_SECRET_KEY, label), data)
}

func (s *softHSM) signWith(mechanism uint, key pkcs11.ObjectHandle, data []byte) []byte {
	s.t.Helper()
	s.ok(s.SignInit(s.session, live.Mechanism(mechanism), key))
	signature, err := s.Sign(s.session, data)
	s.ok(err)
	return signature
}

// TestModule: from the module itself come what is not secret and what is extractable.
func TestModule(t *testing.T) {
	s := newSoftHSM(t)
	s.furnish()
	k, tool := newTarget(t)
	out := tool.partly("--from", softModule, "--token", "old", "--from-pin", softPIN)
	if !strings.Contains(out, "16 of 25 objects imported") || strings.Count(out, `its module does not give it away: CKA_SENSITIVE or not CKA_EXTRACTABLE; "import softhsm DIR" reads it out of`) != 8 {
		t.Errorf("%s", out)
	}
	session := k.User()
	data := []byte("what is signed")
	key := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_LABEL, "rsa-goes"))
	if mine := k.Signed(session, pkcs11.CKM_SHA256_RSA_PKCS, key, data); !bytes.Equal(mine, s.sign(pkcs11.CKM_SHA256_RSA_PKCS, "rsa-goes", data)) {
		t.Error("another signature")
	}
	tool.fails("the PIN of the token that is read is wrong; nothing was imported: give the user PIN of that token by --from-pin-file", "--from", softModule, "--from-pin", "9999")
	tool.fails(`there is no token "new"; it has the tokens "old": name one by --`, "--from", softModule, "--token", "new", "--from-pin", "9999")
	tool.fails("it does not load", "--from", os.DevNull, "--from-pin", "9999")
}

// TestBadModules: a module that hangs, crashes or lies about lengths costs one line.
func TestBadModules(t *testing.T) {
	_, tool := newTarget(t)
	for name, why := range map[string]string{"hangs": "it hangs, or asks for too much work", "crashes": "has crashed", "lies": "nothing was imported"} {
		module := harness.Compile(t, "testdata/bad.c", "-shared", "-fPIC", "-DBAD_"+name, "-I"+filepath.Join(harness.Root(t), "include"))
		tool.fails(why, "--from", module, "--from-pin", "1234", "--wait", "1s")
	}
}

// TestBadDirectories: of what is cut, foreign or missing nothing comes over.
func TestBadDirectories(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p256", false, ofCurve("p256"))
	k, tool := newTarget(t)
	tool.fails("the PIN of the token that is read is wrong; nothing was imported: give the user PIN of that token by --from-pin-file", "softhsm", s.dir, "--from-pin", "4321")
	tool.fails("there is no token of SoftHSM2", "softhsm", t.TempDir(), "--from-pin", softPIN)
	tool.fails("no such file or directory", "softhsm", "/no/such/directory", "--from-pin", softPIN)
	tool.fails(`there is no token "x"; there are the tokens "old": name one by --token; nothing was imported`+"\n", "softhsm", s.dir, "--token", "x", "--from-pin", softPIN)
	tool.fails(`there is no token "x"; the directory is that of the token "old": name one by --token; nothing was imported`+"\n",
		"softhsm", filepath.Dir(s.objectFile()), "--token", "x", "--from-pin", softPIN)
	objects, err := filepath.Glob(filepath.Join(s.dir, "*", "*.object"))
	if err != nil || len(objects) != 3 {
		t.Fatalf("%q, %v", objects, err)
	}
	for _, path := range objects {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][]byte{nil, whole[:len(whole)-3], []byte("sealed by something else")} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			tool.fails("cut or damaged", "softhsm", s.dir, "--from-pin", softPIN)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := k.Find(k.User(), attr(pkcs11.CKA_LABEL, "p256")); len(found) > 0 {
		t.Errorf("%d objects came over", len(found))
	}
}
