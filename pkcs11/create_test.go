// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"math/big"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// certificate is a template of a self-signed certificate.
func certificate(t testing.TB) (template []any, c *x509.Certificate) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	plain := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, plain, plain, public, private)
	ok(t, err)
	c, err = x509.ParseCertificate(der)
	ok(t, err)
	return []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509, CKA_SUBJECT, c.RawSubject, CKA_VALUE, der}, c
}

// publicKeyTemplate is a template of a public key on a curve.
func publicKeyTemplate(t testing.TB, c scm.Curve) []any {
	return []any{CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, curves[c].keyType,
		CKA_EC_PARAMS, curves[c].encodeParams(), CKA_EC_POINT, curves[c].encodePoint(publicOn(t, c))}
}

func with(template []any, more ...any) []any { return append(append([]any{}, template...), more...) }

// secretKey is a template of a generic secret.
var secretKey = []any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, "a secret"}

func TestCreateObject(t *testing.T) {
	f := newUser(t)
	cert, _ := certificate(t)
	public := publicKeyTemplate(t, scm.P256)
	data := []any{CKA_CLASS, CKO_DATA}
	elsewhere := []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509, CKA_SUBJECT, "", CKA_VALUE, "", CKA_URL, "https://example.com"}
	for _, c := range []struct {
		name     string
		template []any
		code     Error
	}{
		{"data", with(data, CKA_TOKEN, true, CKA_VALUE, "x"), CKR_OK},
		{"private data", with(data, CKA_PRIVATE, true), CKR_OK},
		{"certificate", cert, CKR_OK},
		{"secret", secretKey, CKR_OK},
		{"public key", public, CKR_OK},
		{"public key, allowed mechanisms", with(public, CKA_ALLOWED_MECHANISMS, encodeULong(CKM_ECDSA)), CKR_OK},
		{"public key on Ed25519", publicKeyTemplate(t, scm.Ed25519), CKR_OK},
		{"public key on X25519", publicKeyTemplate(t, scm.X25519), CKR_OK},
		{"public key on secp256k1", publicKeyTemplate(t, scm.Secp256k1), CKR_OK},
		{"nothing", nil, CKR_TEMPLATE_INCOMPLETE},
		{"the same value twice", with(data, CKA_CLASS, CKO_DATA), CKR_OK},
		{"two values", with(data, CKA_LABEL, "x", CKA_LABEL, "y"), CKR_TEMPLATE_INCONSISTENT},
		{"class of one byte", []any{CKA_CLASS, "\x00"}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"unknown class", []any{CKA_CLASS, CKO_HW_FEATURE}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"unknown attribute", with(data, CKA_MODULUS, "x"), CKR_ATTRIBUTE_TYPE_INVALID},
		{"unique ID", with(data, CKA_UNIQUE_ID, "x"), CKR_ATTRIBUTE_READ_ONLY},
		{"boolean of two bytes", with(data, CKA_PRIVATE, "\x01\x00"), CKR_ATTRIBUTE_VALUE_INVALID},
		{"trusted certificate", with(cert, CKA_TRUSTED, true), CKR_ATTRIBUTE_READ_ONLY},
		{"certificate without a subject", cert[:4], CKR_TEMPLATE_INCOMPLETE},
		{"WTLS certificate", []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_WTLS, CKA_SUBJECT, "", CKA_VALUE, ""}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"certificate that nobody can read", []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509, CKA_SUBJECT, "", CKA_VALUE, "x"}, CKR_OK},
		{"certificate without content", []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509, CKA_SUBJECT, "", CKA_VALUE, ""}, CKR_TEMPLATE_INCONSISTENT},
		{"certificate elsewhere", with(elsewhere, CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "s", CKA_HASH_OF_ISSUER_PUBLIC_KEY, "i"), CKR_OK},
		{"certificate elsewhere, without hashes", elsewhere, CKR_TEMPLATE_INCONSISTENT},
		{"certificate elsewhere, with one hash", with(elsewhere, CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "s"), CKR_TEMPLATE_INCONSISTENT},
		{"certificate here and elsewhere, without hashes", with(cert, CKA_URL, "https://example.com"), CKR_TEMPLATE_INCONSISTENT},
		{"certificate of another entity", with(cert, CKA_CERTIFICATE_CATEGORY, CK_CERTIFICATE_CATEGORY_OTHER_ENTITY), CKR_OK},
		{"certificate of no category", with(cert, CKA_CERTIFICATE_CATEGORY, 4), CKR_ATTRIBUTE_VALUE_INVALID},
		{"certificate of no security domain", with(cert, CKA_JAVA_MIDP_SECURITY_DOMAIN, 4), CKR_ATTRIBUTE_VALUE_INVALID},
		{"certificate with another checksum", with(cert, CKA_CHECK_VALUE, "abc"), CKR_ATTRIBUTE_VALUE_INVALID},
		{"certificate with no checksum", with(cert, CKA_CHECK_VALUE, ""), CKR_OK},
		{"empty secret", []any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, ""}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"secret with another checksum", with(secretKey, CKA_CHECK_VALUE, "abc"), CKR_ATTRIBUTE_VALUE_INVALID},
		{"secret with its checksum", []any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, "abc", CKA_CHECK_VALUE, "\xa9\x99\x3e"}, CKR_OK},
		{"private key", []any{CKA_CLASS, CKO_PRIVATE_KEY, CKA_KEY_TYPE, CKK_EC}, CKR_TEMPLATE_INCONSISTENT},
		{"key without a type", []any{CKA_CLASS, CKO_PUBLIC_KEY}, CKR_TEMPLATE_INCOMPLETE},
		{"secret without a type", []any{CKA_CLASS, CKO_SECRET_KEY, CKA_VALUE, "x"}, CKR_TEMPLATE_INCOMPLETE},
		{"secret without a value", []any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET}, CKR_TEMPLATE_INCOMPLETE},
		{"secret with its length", with(secretKey, CKA_VALUE_LEN, 8), CKR_ATTRIBUTE_READ_ONLY},
		{"AES key", []any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_AES, CKA_VALUE, "x"}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"RSA key", []any{CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, CKK_RSA}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"public key without a point", public[:6], CKR_TEMPLATE_INCOMPLETE},
		{"public key of another type", []any{CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, CKK_EC_EDWARDS, public[4], public[5], public[6], public[7]}, CKR_TEMPLATE_INCONSISTENT},
		{"point off the curve", with(public[:6], CKA_EC_POINT, "\x04\x03\x04\x01\x01"), CKR_ATTRIBUTE_VALUE_INVALID},
		{"public key in a slot", with(public, zkSlot, 3), CKR_ATTRIBUTE_READ_ONLY},
		{"key info of another key", with(public, CKA_PUBLIC_KEY_INFO, "x"), CKR_TEMPLATE_INCONSISTENT},
		{"key info of this key", with(public, CKA_PUBLIC_KEY_INFO, curves[scm.P256].publicKeyInfo(publicOn(t, scm.P256))), CKR_OK},
	} {
		h, err := f.CreateObject(f.h, is(c.template...))
		want(t, c.name, err, c.code)
		if (h != 0) != (c.code == CKR_OK) {
			t.Errorf("%s: handle %d", c.name, h)
		}
	}
}

// TestCreateCompletes checks what the token adds to what the caller gave.
func TestCreateCompletes(t *testing.T) {
	f := newUser(t)
	template, c := certificate(t)
	h, err := f.CreateObject(f.h, is(template...))
	f.ok(err)
	sum := sha1.Sum(c.Raw)
	f.reads(h, CKA_CHECK_VALUE, sum[:3])
	f.reads(h, CKA_PUBLIC_KEY_INFO, c.RawSubjectPublicKeyInfo)
	f.reads(h, CKA_PRIVATE, false)
	f.reads(h, CKA_TOKEN, false)

	h, err = f.CreateObject(f.h, is(publicKeyTemplate(t, scm.P256)...))
	f.ok(err)
	key, err := x509.ParsePKIXPublicKey(f.read(h, CKA_PUBLIC_KEY_INFO))
	f.ok(err)
	if _, right := key.(*ecdsa.PublicKey); !right {
		t.Errorf("the key info is that of a %T", key)
	}
	f.reads(h, CKA_LOCAL, false)
	f.reads(h, CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION)

	h, err = f.CreateObject(f.h, is(secretKey...))
	f.ok(err)
	f.reads(h, CKA_VALUE_LEN, 8)
	f.reads(h, CKA_PRIVATE, true)
	f.reads(h, CKA_ALWAYS_SENSITIVE, false)
	sum = sha1.Sum([]byte("a secret"))
	f.reads(h, CKA_CHECK_VALUE, sum[:3])
	h, err = f.CreateObject(f.h, is(with(secretKey, CKA_CHECK_VALUE, "")...))
	f.ok(err)
	f.reads(h, CKA_CHECK_VALUE, "")
}

// TestUniqueID: every object has a name of its own, which token objects keep.
func TestUniqueID(t *testing.T) {
	f := newUser(t)
	for _, token := range []bool{false, true, false, true} {
		_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, token))
		f.ok(err)
	}
	f.pairOn(scm.P256)
	other := f.another()
	seen := map[string]bool{}
	for _, h := range f.search() {
		id := string(f.read(h, CKA_UNIQUE_ID))
		if id == "" || seen[id] {
			t.Errorf("unique ID %q", id)
		}
		seen[id] = true
		if f.read(h, CKA_TOKEN)[0] == CK_TRUE {
			other.one(CKA_UNIQUE_ID, id)
		}
	}
}

// TestWhereObjectsLive: token objects outlive the session, session objects do
// not, and each session of the application sees both.
func TestWhereObjectsLive(t *testing.T) {
	f := newUser(t)
	second := f.session(CKF_RW_SESSION)
	for _, token := range []bool{false, true} {
		_, err := f.CreateObject(second, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "mine", CKA_TOKEN, token))
		f.ok(err)
	}
	if n := len(f.search(CKA_LABEL, "mine")); n != 2 {
		t.Errorf("another session sees %d objects, want 2", n)
	}
	other := f.another()
	other.one(CKA_LABEL, "mine")
	f.ok(f.CloseSession(second))
	left := f.one(CKA_LABEL, "mine")
	f.reads(left, CKA_TOKEN, true)
}

// TestWhoMayCreate: what a session may make depends on who is logged in and on
// whether it may write.
func TestWhoMayCreate(t *testing.T) {
	for _, c := range []struct {
		name           string
		user           uint
		rw             bool
		token, private bool
		code           Error
	}{
		{"public R/W", nobody, true, true, false, CKR_OK},
		{"public R/W", nobody, true, true, true, CKR_USER_NOT_LOGGED_IN},
		{"public R/W", nobody, true, false, true, CKR_USER_NOT_LOGGED_IN},
		{"public R/O", nobody, false, true, false, CKR_SESSION_READ_ONLY},
		{"public R/O", nobody, false, false, false, CKR_OK},
		{"user R/W", CKU_USER, true, true, true, CKR_OK},
		{"user R/O", CKU_USER, false, true, true, CKR_SESSION_READ_ONLY},
		{"user R/O", CKU_USER, false, true, false, CKR_SESSION_READ_ONLY},
		{"user R/O", CKU_USER, false, false, true, CKR_OK},
		{"SO R/W", CKU_SO, true, true, false, CKR_OK},
		{"SO R/W", CKU_SO, true, false, true, CKR_USER_NOT_LOGGED_IN},
	} {
		f := newPublic(t)
		if c.user != nobody {
			f.login(c.user)
		}
		h := f.h
		if !c.rw {
			h = f.session(0)
		}
		object, err := f.CreateObject(h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, c.token, CKA_PRIVATE, c.private))
		want(t, c.name+" create", err, c.code)
		if err == nil {
			_, err = f.CopyObject(h, object, nil)
			want(t, c.name+" copy", err, CKR_OK)
			want(t, c.name+" change", f.SetAttributeValue(h, object, is(CKA_LABEL, "x")), CKR_OK)
			want(t, c.name+" destroy", f.DestroyObject(h, object), CKR_OK)
		}
	}
}

func TestCopyObject(t *testing.T) {
	f := newUser(t)
	data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "original", CKA_VALUE, "x"))
	f.ok(err)
	secret, err := f.CreateObject(f.h, is(with(secretKey, CKA_SENSITIVE, true, CKA_EXTRACTABLE, false)...))
	f.ok(err)
	once, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_COPYABLE, false))
	f.ok(err)
	for _, c := range []struct {
		name   string
		object uint
		more   []any
		code   Error
	}{
		{"plain", data, nil, CKR_OK},
		{"to the token", data, []any{CKA_TOKEN, true, CKA_PRIVATE, true}, CKR_OK},
		{"with another label", data, []any{CKA_LABEL, "copy"}, CKR_OK},
		{"not modifiable", data, []any{CKA_MODIFIABLE, false, CKA_DESTROYABLE, false}, CKR_OK},
		{"of another class", data, []any{CKA_CLASS, CKO_CERTIFICATE}, CKR_ATTRIBUTE_READ_ONLY},
		{"of the same class", data, []any{CKA_CLASS, CKO_DATA}, CKR_ATTRIBUTE_READ_ONLY},
		{"of the same value", secret, []any{CKA_VALUE, "a secret"}, CKR_ATTRIBUTE_READ_ONLY},
		{"with a name", data, []any{CKA_UNIQUE_ID, "x"}, CKR_ATTRIBUTE_READ_ONLY},
		{"with the name of the original", data, []any{CKA_UNIQUE_ID, f.read(data, CKA_UNIQUE_ID)}, CKR_ATTRIBUTE_READ_ONLY},
		{"a type twice", data, []any{CKA_LABEL, "x", CKA_LABEL, "y"}, CKR_TEMPLATE_INCONSISTENT},
		{"extractable", secret, []any{CKA_EXTRACTABLE, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"not sensitive", secret, []any{CKA_SENSITIVE, false}, CKR_ATTRIBUTE_READ_ONLY},
		{"public", secret, []any{CKA_PRIVATE, false}, CKR_TEMPLATE_INCONSISTENT},
		{"of one that is not to be copied", once, nil, CKR_ACTION_PROHIBITED},
		{"of a private key", f.private(0), nil, CKR_ACTION_PROHIBITED},
		{"of nothing", 1 << 30, nil, CKR_OBJECT_HANDLE_INVALID},
	} {
		copied, err := f.CopyObject(f.h, c.object, is(c.more...))
		want(t, c.name, err, c.code)
		for i := 0; err == nil && i < len(c.more); i += 2 {
			f.reads(copied, typeOf(c.more[i]), c.more[i+1])
		}
	}
	if n := len(f.search(CKA_LABEL, "original")); n != 4 {
		t.Errorf("%d objects have the original label, want 4", n)
	}
}

// TestCopyPublicKeyOfSlot: the copy is an object of its own, not tied to the
// slot.
func TestCopyPublicKeyOfSlot(t *testing.T) {
	f := newUser(t)
	h, err := f.CopyObject(f.h, f.public(0), is(CKA_LABEL, "copy"))
	f.ok(err)
	_, err = f.tryRead(h, zkSlot)
	want(t, "slot of the copy", err, CKR_ATTRIBUTE_TYPE_INVALID)
	f.reads(h, CKA_TOKEN, true)
	signature, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	f.ok(err)
	want(t, "verify with the copy", f.verify(CKM_ECDSA, h, digest32, signature), CKR_OK)
	f.another().one(CKA_LABEL, "copy")
	f.ok(f.DestroyObject(f.h, h))
}
