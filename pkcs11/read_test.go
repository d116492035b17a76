// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "testing"

// TestGetAttributeValue reads several attributes at once: one that fails keeps
// none of the others from being read.
func TestGetAttributeValue(t *testing.T) {
	f := newUser(t)
	const short = 3
	rows := []struct {
		name   string
		typ    uint
		buffer []byte
		length uint
	}{
		{"asked for the size", CKA_LABEL, nil, 10},
		{"sensitive", CKA_VALUE, make([]byte, 99), CK_UNAVAILABLE_INFORMATION},
		{"sensitive, size", CKA_VALUE, nil, CK_UNAVAILABLE_INFORMATION},
		{"of no such type", CKA_MODULUS, make([]byte, 99), CK_UNAVAILABLE_INFORMATION},
		{"too small", CKA_LABEL, make([]byte, short), CK_UNAVAILABLE_INFORMATION},
		{"exact", CKA_ID, make([]byte, 1), 1},
		{"larger", CKA_LABEL, make([]byte, 99), 10},
		{"empty", CKA_SUBJECT, make([]byte, 0), 0},
	}
	key := f.private(0)
	queries, lengths := make([]Query, len(rows)), make([]uint, len(rows))
	for i, r := range rows {
		lengths[i] = uint(len(r.buffer))
		queries[i] = Query{Type: r.typ, Buffer: r.buffer, Length: &lengths[i]}
	}
	want(t, "the first failure", f.GetAttributeValue(f.h, key, queries), CKR_ATTRIBUTE_SENSITIVE)
	for i, r := range rows {
		if lengths[i] != r.length {
			t.Errorf("%s: length %d, want %d", r.name, lengths[i], r.length)
		}
	}
	if rows[5].buffer[0] != 0 || string(rows[6].buffer[:10]) != "SCM slot 0" || rows[4].buffer[0] != 0 {
		t.Errorf("read %x, %q, %q", rows[5].buffer, rows[6].buffer, rows[4].buffer)
	}
	want(t, "no object", f.GetAttributeValue(f.h, 1<<30, queries), CKR_OBJECT_HANDLE_INVALID)
	want(t, "each failure by itself", f.GetAttributeValue(f.h, key, queries[3:4]), CKR_ATTRIBUTE_TYPE_INVALID)
	want(t, "each failure by itself", f.GetAttributeValue(f.h, key, queries[4:5]), CKR_BUFFER_TOO_SMALL)
	want(t, "nothing asked", f.GetAttributeValue(f.h, key, nil), CKR_OK)
}

// TestReadEveryAttribute: everything that an object has can be read, and a key
// has everything that its kind requires.
func TestReadEveryAttribute(t *testing.T) {
	f := newUser(t)
	for _, object := range []uint{f.private(0), f.public(0), f.private(15), f.public(15)} {
		o := f.object(object)
		for x, rule := range o.rules {
			_, there := o.attrs[x]
			b, err := f.tryRead(object, x)
			switch {
			case rule.is&concealed != 0:
				want(t, AttributeName(x), err, CKR_ATTRIBUTE_SENSITIVE)
			case there:
				want(t, AttributeName(x), err, CKR_OK)
				if rule.checkForm(b) != nil {
					t.Errorf("%s has the value %x", AttributeName(x), b)
				}
			default:
				want(t, AttributeName(x), err, CKR_ATTRIBUTE_TYPE_INVALID)
				if rule.initial != nil {
					t.Errorf("%s is missing", AttributeName(x))
				}
			}
		}
	}
}

// TestSecretValue: the value of a secret key is shown while it may be.
func TestSecretValue(t *testing.T) {
	f := newUser(t)
	for _, c := range []struct {
		sensitive, extractable bool
		code                   Error
	}{
		{false, true, CKR_OK}, {true, true, CKR_ATTRIBUTE_SENSITIVE},
		{false, false, CKR_ATTRIBUTE_SENSITIVE}, {true, false, CKR_ATTRIBUTE_SENSITIVE},
	} {
		h, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET,
			CKA_VALUE, "secret", CKA_SENSITIVE, c.sensitive, CKA_EXTRACTABLE, c.extractable))
		f.ok(err)
		_, err = f.tryRead(h, CKA_VALUE)
		want(t, "value", err, c.code)
		f.reads(h, CKA_VALUE_LEN, 6)
	}
}

func TestGetObjectSize(t *testing.T) {
	f := newUser(t)
	small, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA))
	f.ok(err)
	large, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_VALUE, make([]byte, 1000)))
	f.ok(err)
	a, err := f.GetObjectSize(f.h, small)
	f.ok(err)
	b, err := f.GetObjectSize(f.h, large)
	f.ok(err)
	if a == 0 || b < a+1000 {
		t.Errorf("sizes %d and %d", a, b)
	}
	_, err = f.GetObjectSize(f.h, 1<<30)
	want(t, "no object", err, CKR_OBJECT_HANDLE_INVALID)
}

// TestShownIsErased: nothing is left of the value of a private data object that was shown.
func TestShownIsErased(t *testing.T) {
	f := newSealing(t)
	h := f.create(is(CKA_CLASS, uint(CKO_DATA), CKA_TOKEN, true, CKA_PRIVATE, true, CKA_VALUE, "a secret"))
	s, err := f.sessions.get(f.h)
	f.ok(err)
	o, err := s.findObject(h)
	f.ok(err)
	shown, err := s.token.showing(o, []Query{{Type: CKA_VALUE}})
	f.ok(err)
	value := shown.attrs[CKA_VALUE]
	if string(value) != "a secret" {
		t.Fatalf("shown %q", value)
	}
	o.eraseShown(shown)
	if string(value) != string(make([]byte, 8)) {
		t.Errorf("left is %q", value)
	}
}
