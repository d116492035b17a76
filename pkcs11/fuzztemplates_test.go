// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// templateCodes are what functions answer of a template.
var templateCodes = []Error{
	CKR_OK, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE,
	CKR_TEMPLATE_INCONSISTENT, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID, CKR_ACTION_PROHIBITED,
}

// knownTypes are the attributes that the token knows, and some that it does not, in an order
// that is always the same.
var knownTypes = func() []uint {
	types := []uint{CKA_MODULUS, CKA_WRAP_TEMPLATE, CKA_VENDOR_DEFINED + 7, 0xffffffff}
	for t := range allRules {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}()

// speller makes templates of bytes.
type speller struct{ rest []byte }

func (s *speller) next() byte {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

func (s *speller) value(t uint) []byte {
	switch s.next() % 10 {
	case 0:
		return no
	case 1:
		return yes
	case 2:
		return encodeULong(uint(s.next()))
	case 3:
		n := min(int(s.next()), len(s.rest))
		v := s.rest[:n:n]
		s.rest = s.rest[n:]
		return v
	case 4:
		return curves[s.next()%byte(len(curves))].encodeParams()
	case 5:
		return curves[scm.P256].rawPoint(generatorOfP256)
	case 6:
		return empty
	case 7:
		return encodeULong(CK_UNAVAILABLE_INFORMATION - uint(s.next()))
	}
	return allRules[t].sample(s.next()%2 == 1)
}

// template is one of up to ten attributes.
func (s *speller) template() []Attribute {
	var list []Attribute
	for n := s.next() % 11; n > 0; n-- {
		t := knownTypes[int(s.next())%len(knownTypes)]
		list = append(list, Attribute{t, s.value(t)})
	}
	return list
}

// spell is the reverse: the bytes of a template, for seeds.
func spell(list ...any) []byte {
	b := []byte{byte(len(list) / 2)}
	for i := 0; i < len(list); i += 2 {
		b = append(b, byte(slices.Index(knownTypes, typeOf(list[i]))))
		b = append(b, list[i+1].([]byte)...)
	}
	return b
}

var generatorOfP256 = []byte("\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96" +
	"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5")

// lasts reports whether a template asks for what would stay for the next inputs.
func lasts(list []Attribute) bool {
	a, err := template(list)
	_, named := a[CKA_DESTROYABLE]
	return err == nil && named && !a.isTrue(CKA_DESTROYABLE)
}

// FuzzTemplates gives templates to every function that takes one. Each answers a code that it
// may, has a reason in the log where it refuses, and makes what was asked for or nothing.
func FuzzTemplates(f *testing.F) {
	isTrue, isFalse, number := []byte{1}, []byte{0}, func(n byte) []byte { return []byte{2, n} }
	text := func(s string) []byte { return append([]byte{3, byte(len(s))}, s...) }
	pair := spell(CKA_EC_PARAMS, []byte{4, 0}, CKA_TOKEN, isTrue, CKA_LABEL, text("x"))
	f.Add(byte(0), spell(CKA_CLASS, number(CKO_DATA), CKA_VALUE, text("abc"), CKA_TOKEN, isTrue))
	f.Add(byte(0), spell(CKA_CLASS, number(CKO_PUBLIC_KEY), CKA_KEY_TYPE, number(CKK_EC), CKA_EC_PARAMS, []byte{4, 0}, CKA_EC_POINT, []byte{5}))
	f.Add(byte(0), spell(CKA_CLASS, number(CKO_SECRET_KEY), CKA_KEY_TYPE, number(CKK_GENERIC_SECRET), CKA_VALUE, text("abc"), CKA_SENSITIVE, isTrue))
	f.Add(byte(0), spell(CKA_CLASS, number(CKO_CERTIFICATE), CKA_CERTIFICATE_TYPE, number(0), CKA_SUBJECT, text("s"), CKA_VALUE, text("v")))
	f.Add(byte(1), append(slices.Clone(pair), spell(CKA_TOKEN, isTrue, CKA_SENSITIVE, isFalse, CKA_ALWAYS_AUTHENTICATE, isTrue)...))
	f.Add(byte(2), spell(CKA_VALUE_LEN, number(16), CKA_EXTRACTABLE, isFalse, CKA_SENSITIVE, isTrue))
	f.Add(byte(3), spell(CKA_LABEL, text("copy"), CKA_TOKEN, isTrue))
	f.Add(byte(4), spell(CKA_LABEL, text("new"), CKA_ID, text("1"), CKA_MODIFIABLE, isTrue))
	f.Add(byte(5), spell(CKA_CLASS, number(CKO_DATA), CKA_LABEL, text("new")))
	shared := newUser(f)
	_, base := shared.pairOn(scm.P256, CKA_DERIVE, true)
	f.Fuzz(func(t *testing.T, function byte, input []byte) {
		mine := *shared
		mine.TB = t
		s := &speller{input}
		first, second := s.template(), s.template()
		if lasts(first) || lasts(second) {
			return
		}
		mine.askFor(function, base, first, second)
	})
}

// askFor calls a function with templates, and cleans up.
func (f *fixture) askFor(function byte, base uint, first, second []Attribute) {
	f.Helper()
	data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "old"))
	f.ok(err)
	before, told := len(f.search()), f.log.count("")
	made := map[uint][]Attribute{}
	var h, h2 uint
	switch function % 6 {
	case 0:
		h, err = f.CreateObject(f.h, first)
		made[h] = first
	case 1:
		h, h2, err = f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, first, second)
		made[h], made[h2] = first, second
	case 2:
		h, err = f.derive(CKM_ECDH1_DERIVE, base, curves[scm.P256].rawPoint(generatorOfP256))
		f.ok(err)
		f.ok(f.DestroyObject(f.h, h))
		h, err = f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDH1_DERIVE, Params: &ECDH1Params{KDF: CKD_NULL, Public: curves[scm.P256].rawPoint(generatorOfP256)}}, base, first)
		made[h] = first
	case 3:
		h, err = f.CopyObject(f.h, data, first)
		made[h] = first
	case 4:
		err = f.SetAttributeValue(f.h, data, first)
		if err == nil {
			f.shows(data, first)
		}
	case 5:
		if err = f.FindObjectsInit(f.h, first); err == nil {
			f.ok(f.FindObjectsFinal(f.h))
		}
	}
	code, known := err.(Error)
	if err != nil && !known || !slices.Contains(templateCodes, code) {
		f.Fatalf("%v", err)
	}
	if err != nil && f.log.count("") == told && code != CKR_ACTION_PROHIBITED {
		f.Errorf("%v without a reason in the log", err)
	}
	f.clearAway(made, err)
	if after := len(f.search()); after != before {
		f.Fatalf("%d objects, there were %d", after, before)
	}
	f.ok(f.DestroyObject(f.h, data))
}

// clearAway looks at what was made, and destroys it.
func (f *fixture) clearAway(made map[uint][]Attribute, err error) {
	for h, asked := range made {
		if h == 0 || err != nil {
			continue
		}
		f.shows(h, asked)
		f.ok(f.DestroyObject(f.h, h))
	}
}

// shows checks that an object has what a template asked for.
func (f *fixture) shows(h uint, asked []Attribute) {
	f.Helper()
	for _, a := range asked {
		n := uint(1 << 12)
		buffer := make([]byte, n)
		err := f.GetAttributeValue(f.h, h, []Query{{Type: a.Type, Buffer: buffer, Length: &n}})
		switch {
		case err == error(CKR_ATTRIBUTE_SENSITIVE):
		case err != nil:
			f.Fatalf("%s: %v", AttributeName(a.Type), err)
		case string(buffer[:n]) != string(a.Value) && len(a.Value) > 0:
			f.Fatalf("%s is %x, asked for was %x", AttributeName(a.Type), buffer[:n], a.Value)
		}
	}
}
