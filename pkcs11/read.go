// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Query asks for one attribute: a CK_ATTRIBUTE as C_GetAttributeValue gets it.
type Query struct {
	Type   uint
	Buffer []byte        // the caller's buffer; nil asks for the length
	Length *uint         // ulValueLen of the caller
	Nested []NestedQuery // the attributes in the buffer, of one whose value is a template
}

// GetAttributeValue reads attributes of an object (section 5.7.5). It goes
// through all of them, whatever fails on the way.
func (p *Provider) GetAttributeValue(h, object uint, queries []Query) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	o, err := s.findObject(object)
	if err != nil {
		return err
	}
	if o, err = s.withNode(o, queries); err != nil {
		return err
	}
	shown, err := s.token.showing(o, queries)
	if err != nil {
		return err
	}
	defer o.eraseShown(shown)
	var first error
	for _, q := range queries {
		if err := shown.answer(q); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// showing returns the object with the value that is not in memory, if it is among what is
// asked for: that of the clock, or one that the store keeps apart.
func (t *token) showing(o *object, queries []Query) (*object, error) {
	switch {
	case o.isSealed() && o.class() == CKO_PRIVATE_KEY:
		return t.withNumbers(o, queries)
	case !asksForValue(queries) || o.hidesAttribute(CKA_VALUE):
		return o, nil
	case o.feature():
		return t.withTime(o)
	}
	return t.withValue(o)
}

func asksForValue(queries []Query) bool {
	for _, q := range queries {
		if q.Type == CKA_VALUE {
			return true
		}
	}
	return false
}

// answer reads one attribute.
func (o *object) answer(q Query) error {
	value, ok := o.attrs[q.Type]
	switch {
	case o.hidesAttribute(q.Type):
		return q.unavailable(CKR_ATTRIBUTE_SENSITIVE)
	case !ok:
		return q.unavailable(CKR_ATTRIBUTE_TYPE_INVALID)
	case o.rules[q.Type].kind == nested:
		return q.answerNested(value)
	case q.Buffer == nil:
		*q.Length = uint(len(value))
		return nil
	case len(q.Buffer) < len(value):
		return q.unavailable(CKR_BUFFER_TOO_SMALL)
	}
	*q.Length = uint(copy(q.Buffer, value))
	return nil
}

// unavailable says that the caller does not get the attribute, and returns why.
func (q Query) unavailable(why Error) error {
	*q.Length = CK_UNAVAILABLE_INFORMATION
	return why
}

// GetObjectSize tells how many bytes the attributes of an object take (section
// 5.7.4).
func (p *Provider) GetObjectSize(h, object uint) (size uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	o, err := s.findObject(object)
	if err != nil {
		return 0, err
	}
	whole, err := s.token.withValue(o)
	if err != nil {
		return 0, err
	}
	defer o.eraseValueOf(whole)
	for _, v := range whole.attrs {
		size += uint(len(v)) + ulongSize
	}
	return size, nil
}
