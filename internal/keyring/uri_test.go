// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"reflect"
	"testing"
)

// TestURIRoundTrip: what is written is read again, whatever is in the names.
func TestURIRoundTrip(t *testing.T) {
	for text, u := range map[string]URI{
		"pkcs11:token=web;id=%00%FF;type=private":         {Token: "web", ID: []byte{0, 255}, HasID: true, Type: "private"},
		"pkcs11:token=a%20%3B%25%3D;object=%C3%A4;id=%3F": {Token: "a ;%=", Object: "ä", ID: []byte("?"), HasObject: true, HasID: true},
		"pkcs11:token=t": {Token: "t"},
	} {
		if got := u.String(); got != text {
			t.Errorf("%+v is %s, want %s", u, got, text)
		}
		if got, err := ParseURI(text); err != nil || !reflect.DeepEqual(got, u) {
			t.Errorf("%s is %+v (%v), want %+v", text, got, err, u)
		}
	}
}

// TestChoiceOfNothingFitsAll: only what is named tells keys apart.
func TestChoiceOfNothingFitsAll(t *testing.T) {
	for _, test := range []struct {
		choice Choice
		fits   bool
	}{
		{Choice{}, true}, {Choice{Label: "other"}, true}, {Choice{Label: "a", HasLabel: true}, true}, {Choice{Label: "other", HasLabel: true}, false},
		{Choice{ID: []byte{1}, HasID: true}, true}, {Choice{ID: []byte{1, 0}, HasID: true}, false}, {Choice{HasID: true}, false},
	} {
		if got := test.choice.Fits("a", []byte{1}); got != test.fits {
			t.Errorf("%+v fits: %v", test.choice, got)
		}
	}
}
