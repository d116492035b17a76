// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto"
	"hash"
	"slices"

	"libzk_pkcs11/internal/softkey"
)

// Mechanism is a CK_MECHANISM.
type Mechanism struct {
	Type      uint
	Parameter []byte // the bytes of the parameter; nil when there is none
	// Params is the parameter of a mechanism whose C structure holds pointers,
	// such as *EdDSAParams; nil otherwise.
	Params any
}

// checkNoParameter returns an error unless a mechanism that takes no parameter was given none.
func (m *Mechanism) checkNoParameter() error {
	if len(m.Parameter) > 0 || m.Params != nil {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// mechanism is a row of the table of mechanisms. What it is for is what it has functions for: its flags, the key
// sizes and the page in docs follow from that.
type mechanism struct {
	keys    *keySort               // the keys that it works with, or makes; nil for none
	hash    crypto.Hash            // of the message, 0 for none
	onePart bool                   // the message has to come as a whole
	params  func(*Mechanism) error // checks the parameter; nil: there must be none
	sealed  bool                   // is there where keys are sealed
	needs   func(abilities) bool   // reports whether the device has what it takes; nil: each has

	digest           func(crypto.Hash) hash.Hash
	sign             func(*task) (softkey.Signer, error)
	verify           func(*task) (softkey.Verifier, error)
	recover          func(t *task, signature []byte) ([]byte, error) // the data that sign has put into a signature
	encrypt, decrypt func(*task) (softkey.Stream, error)
	messages         func(*task) (*softkey.Messages, error) // encrypts and decrypts one message after another
	generatePair     func(s *session, row *mechanism, m *Mechanism, public, private []Attribute) (pairHandles, error)
	makePair         func(public attributes) (softkey.PrivateKey, error) // of generateSealed
	generateKey      func(attributes) ([]byte, error)
	generateOf       func(*Mechanism, attributes) ([]byte, error) // makes a key of a parameter
	derive           func(*task, attributes) ([]byte, error)
	encapsulate      func(*task) (*encapsulation, error)
	decapsulate      func(t *task, ciphertext []byte) ([]byte, error)
	inherits         bool // what is derived is as hidden as what it is derived of
	data             bool // what is derived is a data object
	wrapsOnly        bool // encrypt and decrypt are for keys alone
	wrapBlock        int  // wraps keys by encrypt and decrypt, padded to that many bytes; 0: does not
}

// task is what an operation is to do: what a mechanism does, with a key.
type task struct {
	token *token
	key   *object // nil for none
	how   *Mechanism
	row   *mechanism
}

// flags are the functions that a mechanism is for.
func (m *mechanism) flags() uint {
	var f uint
	for _, function := range []struct {
		there bool
		flag  uint
	}{
		{m.digest != nil, CKF_DIGEST},
		{m.sign != nil, CKF_SIGN | CKF_MESSAGE_SIGN | CKF_MULTI_MESSAGE},
		{m.verify != nil, CKF_VERIFY | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE},
		{m.recover != nil, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER},
		{m.encrypt != nil && !m.wrapsOnly, CKF_ENCRYPT},
		{m.decrypt != nil && !m.wrapsOnly, CKF_DECRYPT},
		{m.messages != nil, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE},
		{m.generatePair != nil, CKF_GENERATE_KEY_PAIR},
		{m.generateKey != nil || m.generateOf != nil, CKF_GENERATE},
		{m.derive != nil, CKF_DERIVE},
		{m.wraps(), CKF_WRAP | CKF_UNWRAP},
		{m.encapsulate != nil, CKF_ENCAPSULATE},
		{m.decapsulate != nil, CKF_DECAPSULATE},
	} {
		if function.there {
			f |= function.flag
		}
	}
	return f
}

// MechanismInfo is a CK_MECHANISM_INFO.
type MechanismInfo struct {
	MinKeySize, MaxKeySize uint // in bits
	Flags                  uint
}

// GetMechanismList lists the mechanisms of the token in a slot (section 5.5.5).
func (p *Provider) GetMechanismList(slot uint, out Output[uint]) (err error) {
	if m, unmade := p.unmadeAbilities(slot); unmade {
		return out.writeResult(m.mechanismList())
	}
	t, err := p.token(slot)
	if err != nil {
		return err
	}
	defer t.done(&err)
	return out.writeResult(t.abilities().mechanismList())
}

// mechanismList has them in ascending order.
func (m abilities) mechanismList() []uint {
	list := []uint{}
	for typ := range mechanisms {
		if _, err := m.mechanismInfo(typ); err == nil {
			list = append(list, typ)
		}
	}
	slices.Sort(list)
	return list
}

// GetMechanismInfo describes a mechanism of the token in a slot (section
// 5.5.6).
func (p *Provider) GetMechanismInfo(slot, typ uint) (info MechanismInfo, err error) {
	if m, unmade := p.unmadeAbilities(slot); unmade {
		return m.mechanismInfo(typ)
	}
	t, err := p.token(slot)
	if err != nil {
		return info, err
	}
	defer t.done(&err)
	return t.abilities().mechanismInfo(typ)
}

// mechanismInfo describes a mechanism, if the token has it.
func (m abilities) mechanismInfo(typ uint) (MechanismInfo, error) {
	row, known := mechanisms[typ]
	if !known || row.sealed && !m.sealsKeys() || row.needs != nil && !row.needs(m) {
		return MechanismInfo{}, CKR_MECHANISM_INVALID
	}
	if row.keys != nil {
		return row.keys.info(m, row.flags())
	}
	info := MechanismInfo{Flags: row.flags()}
	if row.needs != nil && m.slot.options.Hardware {
		info.Flags |= CKF_HW
	}
	return info, nil
}

// mechanismFor finds the mechanism of a function, which is named by its flag in
// CK_MECHANISM_INFO.
func (t *token) mechanismFor(m *Mechanism, function uint) (*mechanism, error) {
	row := mechanisms[m.Type]
	if row == nil || row.flags()&function == 0 || row.sealed && !t.sealsKeys() {
		return row, CKR_MECHANISM_INVALID
	}
	if row.params == nil {
		return row, m.checkNoParameter()
	}
	return row, row.params(m)
}

// checkAllowed returns an error unless a key's CKA_ALLOWED_MECHANISMS, if it has one, names a
// mechanism.
func (o *object) checkAllowed(typ uint) error {
	list, limited := o.attrs[CKA_ALLOWED_MECHANISMS]
	for ; len(list) >= ulongSize; list = list[ulongSize:] {
		if n, _ := decodeULong(list[:ulongSize]); n == typ {
			return nil
		}
	}
	if limited {
		return CKR_MECHANISM_INVALID
	}
	return nil
}

// keyFor finds the key of an operation and checks that the operation can be
// done with it: its class, its type, the attribute that permits it.
func (s *session) keyFor(handle, class, usage uint, m *Mechanism, row *mechanism) (*object, error) {
	o, err := s.findKey(handle)
	switch {
	case err != nil:
		return nil, err
	case o.class() != class || !row.keys.include(o.keyType()):
		return nil, CKR_KEY_TYPE_INCONSISTENT
	case !o.attrs.isTrue(usage):
		return nil, CKR_KEY_FUNCTION_NOT_PERMITTED
	case o.broken():
		return nil, CKR_DEVICE_ERROR
	}
	return o, o.checkAllowed(m.Type)
}
