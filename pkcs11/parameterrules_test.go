// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"
)

// TestDomainParameters: those of DSA and Diffie-Hellman are kept as they are, for those that need them.
func TestDomainParameters(t *testing.T) {
	f := newUser(t)
	numbers := []any{CKA_CLASS, uint(CKO_DOMAIN_PARAMETERS), CKA_TOKEN, true, CKA_PRIME, "prime", CKA_BASE, "base"}
	_, err := f.CreateObject(f.h, is(append(numbers, CKA_KEY_TYPE, uint(CKK_DH))...))
	f.ok(err)
	h, err := f.CreateObject(f.h, is(append(numbers, CKA_KEY_TYPE, uint(CKK_DSA), CKA_SUBPRIME, "subprime")...))
	f.ok(err)
	f.reads(h, CKA_PRIME, []byte("prime"))
	f.reads(h, CKA_LOCAL, no)
	for _, c := range []struct {
		more []any
		code Error
	}{
		{[]any{}, CKR_TEMPLATE_INCOMPLETE},
		{[]any{CKA_KEY_TYPE, uint(CKK_RSA)}, CKR_ATTRIBUTE_VALUE_INVALID},
		{[]any{CKA_KEY_TYPE, uint(CKK_X9_42_DH)}, CKR_TEMPLATE_INCOMPLETE},
		{[]any{CKA_KEY_TYPE, uint(CKK_DH), CKA_PRIME_BITS, uint(40)}, CKR_ATTRIBUTE_READ_ONLY},
		{[]any{CKA_KEY_TYPE, uint(CKK_DH), CKA_SUBPRIME, "subprime"}, CKR_ATTRIBUTE_TYPE_INVALID},
		{[]any{CKA_KEY_TYPE, uint(CKK_DSA), CKA_SUBPRIME, "subprime", CKA_SIGN, true}, CKR_ATTRIBUTE_TYPE_INVALID},
	} {
		_, err := f.CreateObject(f.h, is(append(numbers[:len(numbers):len(numbers)], c.more...)...))
		want(t, "refused", err, c.code)
	}
	if n := len(f.search(CKA_CLASS, uint(CKO_DOMAIN_PARAMETERS))); n != 2 {
		t.Errorf("%d found by their class", n)
	}
	want(t, "as a key", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, h), CKR_KEY_HANDLE_INVALID)
}

// TestTrust: what somebody thinks of a certificate is kept, and may change.
func TestTrust(t *testing.T) {
	f := newUser(t)
	h, err := f.CreateObject(f.h, is(CKA_CLASS, uint(CKO_TRUST), CKA_TOKEN, true, CKA_ISSUER, "issuer", CKA_SERIAL_NUMBER, "1",
		CKA_TRUST_SERVER_AUTH, uint(CKT_TRUST_ANCHOR)))
	f.ok(err)
	f.reads(h, CKA_TRUST_SERVER_AUTH, encodeULong(CKT_TRUST_ANCHOR))
	f.reads(h, CKA_TRUST_CODE_SIGNING, encodeULong(CKT_TRUST_UNKNOWN))
	f.ok(f.SetAttributeValue(f.h, h, is(CKA_TRUST_SERVER_AUTH, uint(CKT_NOT_TRUSTED))))
	f.reads(h, CKA_TRUST_SERVER_AUTH, encodeULong(CKT_NOT_TRUSTED))
	if found := f.search(CKA_CLASS, uint(CKO_TRUST)); !slices.Equal(found, []uint{h}) {
		t.Errorf("found %d by its class", found)
	}
	want(t, "another issuer", f.SetAttributeValue(f.h, h, is(CKA_ISSUER, "another")), CKR_ATTRIBUTE_READ_ONLY)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, uint(CKO_TRUST), CKA_ISSUER, "issuer"))
	want(t, "no serial number", err, CKR_TEMPLATE_INCOMPLETE)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, uint(CKO_TRUST), CKA_ISSUER, "issuer", CKA_SERIAL_NUMBER, "1", CKA_TRUST_SERVER_AUTH, "x"))
	want(t, "no number", err, CKR_ATTRIBUTE_VALUE_INVALID)
}
