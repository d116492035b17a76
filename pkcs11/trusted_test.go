// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/store"
)

// trustedCertificate returns a provider on a token with a certificate that the SO
// has marked as trusted; nobody is logged in.
func trustedCertificate(t *testing.T) *fixture {
	t.Helper()
	f := newPublic(t)
	template, _ := certificate(t)
	f.login(CKU_SO)
	_, err := f.CreateObject(f.h, is(append(template, CKA_TOKEN, true, CKA_TRUSTED, true)...))
	f.ok(err)
	f.ok(f.Logout(f.h))
	return f
}

// TestTrustedIsSaidByTheOfficer: with and without login.
func TestTrustedIsSaidByTheOfficer(t *testing.T) {
	f := trustedCertificate(t)
	for range 2 {
		f.reads(f.one(CKA_CLASS, CKO_CERTIFICATE), CKA_TRUSTED, true)
		want(t, "login", f.Login(f.h, CKU_USER, userPIN), CKR_OK)
		f.reads(f.one(CKA_CLASS, CKO_CERTIFICATE), CKA_TRUSTED, true)
		f.ok(f.Logout(f.h))
	}
}

// TestForgedTrust: somebody who may write the file, and knows no PIN, makes no trusted
// certificate, and the user who then labels it does not either.
func TestForgedTrust(t *testing.T) {
	tests := map[string]func(f *fixture){
		"code taken away": func(f *fixture) { forge(t, f.dir, "UPDATE records SET code = x''") },
		"record of a locked store": func(f *fixture) {
			template, _ := certificate(t)
			a := attributes{CKA_TOKEN: yes, CKA_PRIVATE: no, CKA_MODIFIABLE: yes, CKA_TRUSTED: yes}
			for _, x := range is(template...) {
				a[x.Type] = x.Value
			}
			forge(t, f.dir, "DELETE FROM records")
			_, err := f.store.Update(func(tx *store.Tx) error {
				return tx.Put(recordOf(0, a))
			})
			f.ok(err)
		},
	}
	for name, forgery := range tests {
		t.Run(name, func(t *testing.T) {
			f := trustedCertificate(t)
			forgery(f)
			f = openIn(t, f.dir, Options{})
			f.h = f.session(CKF_RW_SESSION)
			f.reads(f.one(CKA_CLASS, CKO_CERTIFICATE), CKA_TRUSTED, false)
			f.login(CKU_USER)
			f.reads(f.one(CKA_CLASS, CKO_CERTIFICATE), CKA_TRUSTED, false)
			f.ok(f.SetAttributeValue(f.h, f.one(CKA_CLASS, CKO_CERTIFICATE), is(CKA_LABEL, "labelled")))
			f = openIn(t, f.dir, Options{})
			f.h = f.session(0)
			f.reads(f.one(CKA_LABEL, "labelled"), CKA_TRUSTED, false)
		})
	}
}

// TestTrustedStays: what the SO vouches for is for nobody else to change or destroy, and
// nobody else gets a second one of it.
func TestTrustedStays(t *testing.T) {
	f := newPublic(t)
	template, _ := certificate(t)
	f.login(CKU_SO)
	object, err := f.CreateObject(f.h, is(with(template, CKA_TOKEN, true, CKA_LABEL, "root", CKA_TRUSTED, true)...))
	f.ok(err)
	f.ok(f.SetAttributeValue(f.h, object, is(CKA_ID, "1")))
	f.ok(f.Logout(f.h))
	for _, user := range []uint{nobody, CKU_USER} {
		if user != nobody {
			f.login(user)
		}
		for _, change := range [][]any{{CKA_LABEL, "x"}, {CKA_ISSUER, "x"}, {CKA_TRUSTED, false}, {CKA_TRUSTED, true}} {
			want(t, "change", f.SetAttributeValue(f.h, object, is(change...)), CKR_ACTION_PROHIBITED)
		}
		want(t, "destroy", f.DestroyObject(f.h, object), CKR_ACTION_PROHIBITED)
		duplicate, err := f.CopyObject(f.h, object, is(CKA_ISSUER, "x"))
		f.ok(err)
		f.reads(duplicate, CKA_TRUSTED, false)
		f.ok(f.DestroyObject(f.h, duplicate))
		_, err = f.CopyObject(f.h, object, is(CKA_TRUSTED, true))
		want(t, "trusted copy", err, CKR_ATTRIBUTE_READ_ONLY)
	}
	f.ok(f.Logout(f.h))
	f.login(CKU_SO)
	duplicate, err := f.CopyObject(f.h, object, nil)
	f.ok(err)
	f.reads(duplicate, CKA_TRUSTED, true)
	f.ok(f.SetAttributeValue(f.h, object, is(CKA_TRUSTED, false)))
	f.ok(f.DestroyObject(f.h, object))
}
