// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// data makes a data object.
func data(t *testing.T, k *live.Token, s pkcs11.SessionHandle, more ...*pkcs11.Attribute) pkcs11.ObjectHandle {
	t.Helper()
	o, err := k.CreateObject(s, append([]*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA)}, more...))
	k.OK(err)
	return o
}

// certificate makes a certificate that signs itself.
func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// certificateObject is the template of a certificate.
func certificateObject(c *x509.Certificate, more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{
		attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), attr(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		attr(pkcs11.CKA_SUBJECT, c.RawSubject), attr(pkcs11.CKA_VALUE, c.Raw),
	}, more...)
}

// TestCertificate stores a certificate and reads what the token adds to it.
func TestCertificate(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	c := certificate(t, "stored")
	o, err := k.CreateObject(s, certificateObject(c, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_ID, "an ID")))
	k.OK(err)
	sum := sha1.Sum(c.Raw)
	has(t, k, s, o, attr(pkcs11.CKA_VALUE, c.Raw), attr(pkcs11.CKA_ID, "an ID"), attr(pkcs11.CKA_TRUSTED, false),
		attr(pkcs11.CKA_CHECK_VALUE, sum[:3]), attr(pkcs11.CKA_PUBLIC_KEY_INFO, c.RawSubjectPublicKeyInfo),
		attr(pkcs11.CKA_CERTIFICATE_CATEGORY, 0), attr(pkcs11.CKA_PRIVATE, false), attr(pkcs11.CKA_LABEL, ""))
	for _, value := range [][]byte{{1}, c.Raw} {
		change := []*pkcs11.Attribute{attr(pkcs11.CKA_VALUE, value)}
		k.Want("a value, another or the same", k.SetAttributeValue(s, o, change), pkcs11.CKR_ATTRIBUTE_READ_ONLY)
		_, err := k.CopyObject(s, o, change)
		k.Want("a copy with a value", err, pkcs11.CKR_ATTRIBUTE_READ_ONLY)
	}
	k.OK(k.SetAttributeValue(s, o, []*pkcs11.Attribute{attr(pkcs11.CKA_LABEL, "renamed"), attr(pkcs11.CKA_ID, "other")}))
	has(t, k, s, o, attr(pkcs11.CKA_LABEL, "renamed"), attr(pkcs11.CKA_ID, "other"), attr(pkcs11.CKA_VALUE, c.Raw))
	k.OK(k.DestroyObject(s, o))
	if n := len(k.Find(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE))); n != 0 {
		t.Errorf("%d certificates after C_DestroyObject", n)
	}
}

// TestTrusted has nobody but the officer trust a certificate.
func TestTrusted(t *testing.T) {
	k := live.New(t)
	s := k.Officer()
	o, err := k.CreateObject(s, certificateObject(certificate(t, "trusted"), attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_TRUSTED, true)))
	k.OK(err)
	k.OK(k.Logout(s))
	has(t, k, s, o, attr(pkcs11.CKA_TRUSTED, true))
	doubt := []*pkcs11.Attribute{attr(pkcs11.CKA_TRUSTED, false)}
	k.Want("a trusted certificate changed by nobody", k.SetAttributeValue(s, o, doubt), pkcs11.CKR_ACTION_PROHIBITED)
	k.OK(k.Login(s, pkcs11.CKU_SO, harness.SOPIN))
	k.OK(k.SetAttributeValue(s, o, doubt))
	k.OK(k.Logout(s))
	k.Want("CKA_TRUSTED by nobody", k.SetAttributeValue(s, o, []*pkcs11.Attribute{attr(pkcs11.CKA_TRUSTED, true)}), pkcs11.CKR_ATTRIBUTE_READ_ONLY)
}

// TestDataObject keeps values of all sizes over a restart of the library.
func TestDataObject(t *testing.T) {
	k := live.New(t)
	s := k.User()
	sizes := []int{0, 1, 1000, 100000}
	for _, n := range sizes {
		for _, private := range []bool{false, true} {
			data(t, k, s, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_PRIVATE, private),
				attr(pkcs11.CKA_APPLICATION, "test"), attr(pkcs11.CKA_OBJECT_ID, []byte{byte(len(sizes))}), attr(pkcs11.CKA_VALUE, bytes.Repeat([]byte{7}, n)))
		}
	}
	k.OK(k.Finalize())
	k.OK(k.Initialize())
	s = k.User()
	for _, private := range []bool{false, true} {
		var got []int
		for _, o := range k.Find(s, attr(pkcs11.CKA_APPLICATION, "test"), attr(pkcs11.CKA_PRIVATE, private)) {
			value := k.Attr(s, o, pkcs11.CKA_VALUE)
			if bytes.Count(value, []byte{7}) != len(value) {
				t.Errorf("the value of object %d is another", o)
			}
			got = append(got, len(value))
		}
		if len(got) != len(sizes) {
			t.Errorf("private %t: values of the lengths %v, want %v", private, got, sizes)
		}
	}
}

// TestSecretKey keeps secret keys that can be read, and some that cannot.
func TestSecretKey(t *testing.T) {
	k := live.New(t)
	s := k.User()
	key := func(more ...*pkcs11.Attribute) pkcs11.ObjectHandle {
		o, err := k.CreateObject(s, append([]*pkcs11.Attribute{
			attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET), attr(pkcs11.CKA_VALUE, "a secret"),
		}, more...))
		k.OK(err)
		return o
	}
	open, closed := key(), key(attr(pkcs11.CKA_SENSITIVE, true), attr(pkcs11.CKA_LABEL, "closed"))
	has(t, k, s, open, attr(pkcs11.CKA_VALUE, "a secret"), attr(pkcs11.CKA_VALUE_LEN, 8), attr(pkcs11.CKA_LOCAL, false),
		attr(pkcs11.CKA_ALWAYS_SENSITIVE, false), attr(pkcs11.CKA_NEVER_EXTRACTABLE, false))
	if n := len(k.Find(s, attr(pkcs11.CKA_VALUE, "a secret"))); n != 1 {
		t.Errorf("%d keys found by their value, want the one that shows it", n)
	}
	k.OK(k.SetAttributeValue(s, open, []*pkcs11.Attribute{attr(pkcs11.CKA_SENSITIVE, true)}))
	for _, o := range []pkcs11.ObjectHandle{open, closed} {
		_, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{attr(pkcs11.CKA_VALUE, nil)})
		k.Want("the value of a sensitive key", err, pkcs11.CKR_ATTRIBUTE_SENSITIVE)
	}
	k.Want("CKA_SENSITIVE back to false", k.SetAttributeValue(s, open, []*pkcs11.Attribute{attr(pkcs11.CKA_SENSITIVE, false)}), pkcs11.CKR_ATTRIBUTE_READ_ONLY)
}

// TestPublicKeyForms brings one public key in by every encoding that clients
// use.
func TestPublicKeyForms(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	for _, slot := range []int{0, 14} {
		ours := k.Key(s, pkcs11.CKO_PUBLIC_KEY, slot)
		raw := point(t, k.Attr(s, ours, pkcs11.CKA_EC_POINT))
		bits := append([]byte{3, byte(len(raw) + 1), 0}, raw...)
		for _, form := range [][]byte{raw, append([]byte{4, byte(len(raw))}, raw...), bits} {
			o, err := k.CreateObject(s, []*pkcs11.Attribute{
				attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_KEY_TYPE, k.Attr(s, ours, pkcs11.CKA_KEY_TYPE)),
				attr(pkcs11.CKA_EC_PARAMS, k.Attr(s, ours, pkcs11.CKA_EC_PARAMS)), attr(pkcs11.CKA_EC_POINT, form),
			})
			k.OK(err)
			has(t, k, s, o, attr(pkcs11.CKA_PUBLIC_KEY_INFO, k.Attr(s, ours, pkcs11.CKA_PUBLIC_KEY_INFO)), attr(pkcs11.CKA_LOCAL, false))
		}
	}
}

// TestCopy copies objects between session and token.
func TestCopy(t *testing.T) {
	k := live.New(t)
	s := k.User()
	from := data(t, k, s, attr(pkcs11.CKA_LABEL, "original"), attr(pkcs11.CKA_VALUE, "value"))
	to, err := k.CopyObject(s, from, []*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, "copy")})
	k.OK(err)
	has(t, k, s, to, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, "copy"), attr(pkcs11.CKA_VALUE, "value"))
	has(t, k, s, from, attr(pkcs11.CKA_TOKEN, false), attr(pkcs11.CKA_LABEL, "original"))
	if bytes.Equal(k.Attr(s, from, live.CKA_UNIQUE_ID), k.Attr(s, to, live.CKA_UNIQUE_ID)) {
		t.Error("the copy has the CKA_UNIQUE_ID of the original")
	}
	private := data(t, k, s, attr(pkcs11.CKA_PRIVATE, true))
	_, err = k.CopyObject(s, private, []*pkcs11.Attribute{attr(pkcs11.CKA_PRIVATE, false)})
	k.Want("a public copy of a private object", err, pkcs11.CKR_TEMPLATE_INCONSISTENT)
	public, err := k.CopyObject(s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, 0), []*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true)})
	k.OK(err)
	k.OK(k.DestroyObject(s, public))
	k.Key(s, pkcs11.CKO_PUBLIC_KEY, 0)
}

// TestRename names the keys of permanent slots, for good.
func TestRename(t *testing.T) {
	k := live.New(t)
	s := k.User()
	for _, class := range halves {
		k.OK(k.SetAttributeValue(s, k.Key(s, class, 5), []*pkcs11.Attribute{attr(pkcs11.CKA_LABEL, "web server"), attr(pkcs11.CKA_ID, []byte{1, 2, 3})}))
	}
	k.OK(k.Finalize())
	k.OK(k.Initialize())
	s = k.User()
	for _, class := range halves {
		o := k.One(s, attr(pkcs11.CKA_CLASS, class), attr(pkcs11.CKA_LABEL, "web server"))
		has(t, k, s, o, attr(pkcs11.CKA_ID, []byte{1, 2, 3}), attr(live.CKA_ZK_SLOT, 5), attr(pkcs11.CKA_DESTROYABLE, false))
	}
}
