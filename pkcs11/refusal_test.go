// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestRefusalsAreTold: whatever template is refused, a line at level info names the
// attribute, and holds no value.
func TestRefusalsAreTold(t *testing.T) {
	f := newUser(t)
	token, key := []any{CKA_TOKEN, true}, f.private(0)
	_, base := f.pairOn(scm.P256, CKA_DERIVE, true)
	pair := func(public, private []any) func() error {
		return func() error {
			_, _, err := f.tryPair(scm.P256, public, private)
			return err
		}
	}
	create := func(template ...any) func() error {
		return func() error {
			_, err := f.CreateObject(f.h, is(template...))
			return err
		}
	}
	change := func(template ...any) func() error {
		return func() error { return f.SetAttributeValue(f.h, key, is(template...)) }
	}
	derive := func(template ...any) func() error {
		return func() error {
			_, err := f.derive(CKM_ECDH1_DERIVE, base, publicPoint(t), template...)
			return err
		}
	}
	public := []any{CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, CKK_EC}
	cert := []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509, CKA_SUBJECT, "canary"}
	params := curves[scm.P256].encodeParams()
	for attribute, calls := range map[string][]func() error{
		"CKA_EXTRACTABLE":      {pair(token, with(token, CKA_EXTRACTABLE, true)), change(CKA_EXTRACTABLE, false)},
		"CKA_PRIVATE":          {pair(token, with(token, CKA_PRIVATE, false)), change(CKA_PRIVATE, true)},
		"CKA_CLASS":            {pair([]any{CKA_CLASS, CKO_DATA}, nil), create(CKA_LABEL, "canary"), create(CKA_CLASS, 99), create(CKA_CLASS, CKO_PRIVATE_KEY), derive(CKA_CLASS, CKO_DATA)},
		"CKA_KEY_TYPE":         {pair(nil, []any{CKA_KEY_TYPE, CKK_RSA}), create(public[:2]...), create(CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_DES), derive(CKA_KEY_TYPE, CKK_DES)},
		"CKA_LABEL":            {pair([]any{CKA_LABEL, "canary", CKA_LABEL, "other"}, nil)},
		"CKA_LOCAL":            {pair(nil, []any{CKA_LOCAL, true}), change(CKA_LOCAL, true)},
		"CKA_TRUSTED":          {pair([]any{CKA_TRUSTED, true}, nil)},
		"CKA_SIGN":             {pair(nil, []any{CKA_SIGN, "canary"}), change(CKA_SIGN, "canary")},
		"attribute 0x12345678": {pair(nil, []any{0x12345678, "canary"}), change(0x12345678, "canary"), create(with(cert, 0x12345678, "canary")...)},
		"CKA_ZK_SLOT":          {pair(token, with(token, zkSlot, 3)), pair(token, with(token, zkSlot, 5000)), pair(nil, []any{zkSlot, 20})},
		"CKA_VALUE":            {create(cert...), create(with(cert, CKA_VALUE, "")...), derive(CKA_VALUE, "canary"), create(CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, "")},
		"CKA_VALUE_LEN":        {derive(CKA_VALUE_LEN, 33)},
		"CKA_URL":              {create(with(cert, CKA_VALUE, "", CKA_URL, "canary")...)},
		"CKA_CHECK_VALUE":      {create(with(secretKey, CKA_CHECK_VALUE, "canary")...)},
		"CKA_EC_PARAMS":        {create(with(public, CKA_EC_PARAMS, "canary", CKA_EC_POINT, "canary")...), create(with(public, CKA_EC_POINT, "canary")...)},
		"CKA_EC_POINT":         {create(with(public, CKA_EC_PARAMS, params, CKA_EC_POINT, "canary")...)},
		"CKA_PUBLIC_KEY_INFO":  {create(with(public, CKA_EC_PARAMS, params, CKA_EC_POINT, publicPoint(t), CKA_PUBLIC_KEY_INFO, "canary")...), change(CKA_PUBLIC_KEY_INFO, "canary")},
	} {
		for i, call := range calls {
			before := f.log.count("")
			err := call()
			if told := f.log.since(before); err == nil || len(told) != 1 || !strings.Contains(told[0], ": "+attribute+" ") ||
				!strings.HasPrefix(told[0], "info: slot 0: ") || !strings.Contains(told[0], err.Error()) {
				t.Errorf("%s, call %d: %v, and in the log %q", attribute, i, err, told)
			}
		}
	}
	if f.log.count("canary") > 0 {
		t.Error("a value is in the log")
	}
}

// TestNotSensitive: a key in a slot that its maker called not sensitive is given as asked. It
// shows as little as any other, and can be made sensitive, but not one that always was.
func TestNotSensitive(t *testing.T) {
	for name, more := range map[string][]any{"token": {CKA_TOKEN, true}, "session": nil} {
		f := newUser(t)
		_, key := f.pair(scm.P256, more, with(more, CKA_SENSITIVE, false, CKA_LABEL, "open"))
		shows := func(sensitive bool) {
			t.Helper()
			f.reads(key, CKA_SENSITIVE, sensitive)
			f.reads(key, CKA_ALWAYS_SENSITIVE, false)
			f.reads(key, CKA_EXTRACTABLE, false)
			f.reads(key, CKA_NEVER_EXTRACTABLE, true)
			var n uint
			want(t, name+" value", f.GetAttributeValue(f.h, key, []Query{{Type: CKA_VALUE, Length: &n}}), CKR_ATTRIBUTE_SENSITIVE)
		}
		shows(false)
		f.ok(f.SetAttributeValue(f.h, key, is(CKA_SENSITIVE, true)))
		shows(true)
		want(t, name+" back", f.SetAttributeValue(f.h, key, is(CKA_SENSITIVE, false)), CKR_ATTRIBUTE_READ_ONLY)
		if name == "token" {
			f = f.another()
			key = f.one(CKA_LABEL, "open", CKA_CLASS, CKO_PRIVATE_KEY)
			shows(true)
		}
	}
}
