// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/binary"
	"maps"
	"slices"
)

// The value of CKA_WRAP_TEMPLATE and its like is a template. It is kept as bytes: of each attribute, in the order of their types, the
// type, the length and the value, numbers of 8 bytes.

// maxNested is how many attributes such a template may have.
const maxNested = 64

// IsNestedTemplate reports whether the value of an attribute is a template.
func IsNestedTemplate(typ uint) bool {
	switch typ {
	case CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE, CKA_ENCAPSULATE_TEMPLATE, CKA_DECAPSULATE_TEMPLATE:
		return true
	}
	return false
}

// EncodeTemplate turns a template into the value of an attribute. One that has too many attributes, one of them twice, or
// another such template becomes a value that is refused.
func EncodeTemplate(list []Attribute) []byte {
	a, err := template(list)
	types := slices.Sorted(maps.Keys(a))
	if err != nil || len(list) > maxNested || slices.ContainsFunc(types, IsNestedTemplate) {
		return []byte{0} // which no template is
	}
	out := []byte{}
	for _, typ := range types {
		v := storeForm(typ, a[typ])
		out = binary.BigEndian.AppendUint64(out, uint64(typ))
		out = binary.BigEndian.AppendUint64(out, uint64(len(v)))
		out = append(out, v...)
	}
	return out
}

// DecodeTemplate undoes EncodeTemplate.
func DecodeTemplate(b []byte) ([]Attribute, error) {
	stored := []Attribute{}
	r := &contentReader{rest: b}
	for len(r.rest) > 0 {
		before := len(r.rest)
		typ := r.readNumber()
		v := fromStore(map[uint64][]byte{uint64(typ): r.readBytes()})[typ]
		if before < 16 || v == nil && r.rest == nil {
			return nil, CKR_ATTRIBUTE_VALUE_INVALID
		}
		stored = append(stored, Attribute{typ, v})
	}
	return stored, nil
}

// nestedTemplate returns the template that is the value of an attribute of a key; nil where there is none.
func (o *object) nestedTemplate(typ uint) (attributes, error) {
	list, err := DecodeTemplate(o.attrs[typ])
	if err != nil {
		return nil, err
	}
	return template(list)
}

// joinedTemplate returns the template of a new key together with what the key that it is made of demands by an attribute. Both must
// not say different things.
func (s *session) joinedTemplate(list []Attribute, base *object, typ uint) ([]Attribute, attributes, error) {
	demanded, err := DecodeTemplate(base.attrs[typ])
	if err != nil {
		return nil, nil, err
	}
	list = append(slices.Clip(list), demanded...)
	a, err := s.template(list)
	return list, a, err
}

// template makes attributes of a caller's template. Templates in templates are there only where keys are sealed.
func (s *session) template(list []Attribute) (attributes, error) {
	a, err := template(list)
	if err != nil || s.token.sealsKeys() {
		return a, err
	}
	for _, x := range list {
		if IsNestedTemplate(x.Type) {
			return nil, refuse(CKR_ATTRIBUTE_TYPE_INVALID, x.Type, "is none of such an object")
		}
	}
	return a, nil
}

// NestedQuery asks for one attribute of a template that is the value of another: a CK_ATTRIBUTE of which the type is
// filled in.
type NestedQuery struct {
	Type   *uint
	Buffer []byte // nil asks for the length
	Length *uint
}

// attributeSize is that of a CK_ATTRIBUTE.
const attributeSize = 3 * ulongSize

// answerNested reads an attribute whose value is a template.
func (q Query) answerNested(value []byte) error {
	list, err := DecodeTemplate(value)
	if err != nil {
		return err
	}
	size := uint(len(list)) * attributeSize
	if q.Buffer == nil {
		*q.Length = size
		return nil
	}
	if len(q.Nested) < len(list) {
		return q.unavailable(CKR_BUFFER_TOO_SMALL)
	}
	*q.Length = size
	for i, a := range list {
		if e := q.Nested[i].answer(a); e != nil && err == nil {
			err = e
		}
	}
	return err
}

func (q NestedQuery) answer(a Attribute) error {
	*q.Type = a.Type
	if q.Buffer != nil && len(q.Buffer) < len(a.Value) {
		*q.Length = CK_UNAVAILABLE_INFORMATION
		return CKR_BUFFER_TOO_SMALL
	}
	copy(q.Buffer, a.Value)
	*q.Length = uint(len(a.Value))
	return nil
}
