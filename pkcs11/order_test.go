// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// fault is one thing that is wrong with a template.
type fault struct {
	attribute []any // type and value; nil for one that is missing
	code      Error
}

// inBothOrders gives a call templates with two faults, in both orders and a hundred
// times each, and expects the code of the one that stands first. That something is
// missing comes last.
func inBothOrders(t *testing.T, faults []fault, call func(template []any) error) {
	t.Helper()
	for i, first := range faults {
		for j, second := range faults {
			if i == j || first.attribute == nil {
				continue
			}
			template := slices.Concat(first.attribute, second.attribute)
			for range 100 {
				if err := call(template); err != first.code {
					t.Errorf("%s before fault %d: %v, want %v", AttributeName(typeOf(first.attribute[0])), j, err, first.code)
					break
				}
			}
		}
	}
}

var (
	unknownType   = fault{[]any{CKA_MODULUS, "x"}, CKR_ATTRIBUTE_TYPE_INVALID}
	malformed     = fault{[]any{CKA_MODIFIABLE, "zz"}, CKR_ATTRIBUTE_VALUE_INVALID}
	notForCallers = fault{[]any{CKA_UNIQUE_ID, "y"}, CKR_ATTRIBUTE_READ_ONLY}
	missing       = fault{nil, CKR_TEMPLATE_INCOMPLETE}
)

func TestOrderOfCreate(t *testing.T) {
	f := newUser(t)
	faults := []fault{unknownType, malformed, notForCallers, missing}
	certificate := []any{CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509}
	create := func(template []any) error {
		_, err := f.CreateObject(f.h, is(template...))
		return err
	}
	inBothOrders(t, faults, func(template []any) error { return create(with(certificate, template...)) })
	inBothOrders(t, faults, func(template []any) error { return create(with(template, certificate...)) })
	want(t, "no subject and no value", create(certificate), CKR_TEMPLATE_INCOMPLETE)
	twice := []any{CKA_LABEL, "1", CKA_LABEL, "2"}
	want(t, "two labels first", create(slices.Concat(twice, unknownType.attribute, certificate)), CKR_TEMPLATE_INCONSISTENT)
	want(t, "two labels last", create(slices.Concat(certificate, unknownType.attribute, twice)), CKR_TEMPLATE_INCONSISTENT)
}

// TestOrderOfChange has C_SetAttributeValue and C_CopyObject, on a session object and
// on a token object.
func TestOrderOfChange(t *testing.T) {
	f := newUser(t)
	faults := []fault{unknownType, malformed, notForCallers, {[]any{CKA_CLASS, CKO_CERTIFICATE}, CKR_ATTRIBUTE_READ_ONLY}}
	for _, token := range []bool{false, true} {
		data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, token))
		f.ok(err)
		inBothOrders(t, faults, func(template []any) error { return f.SetAttributeValue(f.h, data, is(template...)) })
		inBothOrders(t, faults, func(template []any) error {
			_, err := f.CopyObject(f.h, data, is(template...))
			return err
		})
	}
	ofKey := fault{[]any{CKA_PUBLIC_KEY_INFO, "x"}, CKR_ATTRIBUTE_VALUE_INVALID}
	key := f.private(0)
	inBothOrders(t, append(faults, ofKey), func(template []any) error { return f.SetAttributeValue(f.h, key, is(template...)) })
}

// TestOrderOfGenerate: the public template comes before the private one, whatever is
// wrong with each.
func TestOrderOfGenerate(t *testing.T) {
	f := newUser(t)
	generate := func(public, private []any) error {
		_, _, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, is(public...), is(private...))
		return err
	}
	params := []any{CKA_EC_PARAMS, curves[scm.P256].encodeParams()}
	faults := []fault{unknownType, malformed, notForCallers}
	inBothOrders(t, append(faults, missing), func(template []any) error { return generate(template, nil) })
	inBothOrders(t, faults, func(template []any) error { return generate(params, template) })
	inBothOrders(t, faults, func(template []any) error {
		return generate(with(params, template[:2]...), template[2:])
	})
	inBothOrders(t, faults, func(template []any) error { // one in each half
		return generate(template[:2], template[2:])
	})
}

func TestOrderOfDerive(t *testing.T) {
	f := newUser(t)
	_, base := f.pairOn(scm.P256, CKA_DERIVE, true)
	peer := publicPoint(t)
	secretValue := fault{[]any{CKA_VALUE, "x"}, CKR_ATTRIBUTE_READ_ONLY}
	inBothOrders(t, []fault{unknownType, malformed, notForCallers, secretValue}, func(template []any) error {
		_, err := f.derive(CKM_ECDH1_DERIVE, base, peer, template...)
		return err
	})
}
