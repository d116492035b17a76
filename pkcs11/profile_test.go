// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"
)

// profileObjects is how many profile objects a token has without private certificates.
const profileObjects = 3

// showsProfiles reports other profiles than those of every token, with that of public
// certificates or without.
func (f *fixture) showsProfiles(when string, certificates bool) {
	f.Helper()
	wanted := []uint{CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER}
	if certificates {
		wanted = append(wanted, CKP_PUBLIC_CERTIFICATES_TOKEN)
	}
	var got []uint
	for _, h := range f.search(CKA_CLASS, CKO_PROFILE, CKA_TOKEN, true) {
		id, _ := decodeULong(f.read(h, CKA_PROFILE_ID))
		got = append(got, id)
	}
	if slices.Sort(got); !slices.Equal(got, wanted) {
		f.Errorf("%s: profiles %d, want %d", when, got, wanted)
	}
}

// TestProfiles: a program that looks at a token sees what it implements.
func TestProfiles(t *testing.T) {
	newBlankWithSession(t).showsProfiles("before C_InitToken", true)
	f := newPublic(t)
	f.showsProfiles("before login", true)
	before := f.search(CKA_CLASS, CKO_PROFILE)
	f.login(CKU_USER)
	f.showsProfiles("after login", true)
	if after := f.search(CKA_CLASS, CKO_PROFILE); !slices.Equal(before, after) {
		t.Errorf("the handles were %d and are %d", before, after)
	}
	baseline := f.one(CKA_PROFILE_ID, CKP_BASELINE_PROVIDER)
	f.reads(baseline, CKA_PRIVATE, false)
	f.reads(baseline, CKA_UNIQUE_ID, "profile-1")
}

// newBlankWithSession is a token that has never been initialised, with a session.
func newBlankWithSession(t *testing.T) *fixture {
	t.Helper()
	f := newBlank(t)
	f.h = f.session(0)
	return f
}

// TestProfilesAreFixed: nobody makes, changes, copies or destroys one.
func TestProfilesAreFixed(t *testing.T) {
	f := newUser(t)
	h := f.one(CKA_PROFILE_ID, CKP_EXTENDED_PROVIDER)
	want(t, "change", f.SetAttributeValue(f.h, h, is(CKA_LABEL, "x")), CKR_ACTION_PROHIBITED)
	want(t, "destroy", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
	_, err := f.CopyObject(f.h, h, nil)
	want(t, "copy", err, CKR_ACTION_PROHIBITED)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, CKO_PROFILE, CKA_PROFILE_ID, CKP_COMPLETE_PROVIDER))
	want(t, "create", err, CKR_ATTRIBUTE_VALUE_INVALID)
	want(t, "key", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, h), CKR_KEY_HANDLE_INVALID)
}

// TestPrivateCertificates: a token is none of public certificates while it has, or may
// have, one that only the user sees.
func TestPrivateCertificates(t *testing.T) {
	cert, _ := certificate(t)
	for _, c := range []struct {
		name                  string
		template              []any
		public, user, another bool
	}{
		{"public certificate", with(cert, CKA_TOKEN, true), true, true, true},
		{"private certificate", with(cert, CKA_TOKEN, true, CKA_PRIVATE, true), false, false, false},
		{"private certificate of a session", with(cert, CKA_PRIVATE, true), true, true, true},
		{"private data", []any{CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true}, false, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newUser(t)
			other := f.another()
			f.showsProfiles("without it", true)
			_, err := f.CreateObject(f.h, is(with(c.template, CKA_LABEL, "it")...))
			f.ok(err)
			f.showsProfiles("to the user", c.user)
			other.showsProfiles("to another process", c.another)
			f.ok(f.Logout(f.h))
			f.showsProfiles("to others", c.public)
			f.login(CKU_USER)
			for _, h := range f.search(CKA_LABEL, "it") {
				f.ok(f.DestroyObject(f.h, h))
			}
			f.showsProfiles("after it", true)
		})
	}
}
