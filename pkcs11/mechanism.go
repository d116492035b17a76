// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto"
	"slices"

	"libzk_pkcs11/internal/scm"
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

// mechanism is a row of the table of mechanisms: what it works on, how, and
// with what. A function that is nil is something that the mechanism is not for.
type mechanism struct {
	keyType      uint        // the type of its keys
	hash         crypto.Hash // of the message, 0 for none
	wholeMessage bool        // works on a whole message without hashing it

	params    func(*Mechanism) error // checks the parameter; nil: there must be none
	digest    bool
	sign      bool
	generate  bool
	locksData bool // its keys are no objects
	derive    func(*token, *object, *Mechanism, attributes) ([]byte, error)
}

// mechanisms is the table of mechanisms. C_GetMechanismList and
// C_GetMechanismInfo answer from it, cut to what the device can do.
var mechanisms = map[uint]mechanism{
	CKM_SHA_1:      {hash: crypto.SHA1, digest: true},
	CKM_SHA224:     {hash: crypto.SHA224, digest: true},
	CKM_SHA256:     {hash: crypto.SHA256, digest: true},
	CKM_SHA384:     {hash: crypto.SHA384, digest: true},
	CKM_SHA512:     {hash: crypto.SHA512, digest: true},
	CKM_SHA512_224: {hash: crypto.SHA512_224, digest: true},
	CKM_SHA512_256: {hash: crypto.SHA512_256, digest: true},
	CKM_SHA3_224:   {hash: crypto.SHA3_224, digest: true},
	CKM_SHA3_256:   {hash: crypto.SHA3_256, digest: true},
	CKM_SHA3_384:   {hash: crypto.SHA3_384, digest: true},
	CKM_SHA3_512:   {hash: crypto.SHA3_512, digest: true},

	CKM_EC_KEY_PAIR_GEN:            {keyType: CKK_EC, generate: true},
	CKM_EC_EDWARDS_KEY_PAIR_GEN:    {keyType: CKK_EC_EDWARDS, generate: true},
	CKM_EC_MONTGOMERY_KEY_PAIR_GEN: {keyType: CKK_EC_MONTGOMERY, generate: true},

	CKM_ECDSA:          {keyType: CKK_EC, sign: true},
	CKM_ECDSA_SHA1:     {keyType: CKK_EC, sign: true, hash: crypto.SHA1},
	CKM_ECDSA_SHA224:   {keyType: CKK_EC, sign: true, hash: crypto.SHA224},
	CKM_ECDSA_SHA256:   {keyType: CKK_EC, sign: true, hash: crypto.SHA256},
	CKM_ECDSA_SHA384:   {keyType: CKK_EC, sign: true, hash: crypto.SHA384},
	CKM_ECDSA_SHA512:   {keyType: CKK_EC, sign: true, hash: crypto.SHA512},
	CKM_ECDSA_SHA3_224: {keyType: CKK_EC, sign: true, hash: crypto.SHA3_224},
	CKM_ECDSA_SHA3_256: {keyType: CKK_EC, sign: true, hash: crypto.SHA3_256},
	CKM_ECDSA_SHA3_384: {keyType: CKK_EC, sign: true, hash: crypto.SHA3_384},
	CKM_ECDSA_SHA3_512: {keyType: CKK_EC, sign: true, hash: crypto.SHA3_512},
	CKM_EDDSA:          {keyType: CKK_EC_EDWARDS, sign: true, wholeMessage: true, params: pureEdDSA},

	CKM_ECDH1_DERIVE: {keyType: CKK_EC, derive: deriveECDH, params: ecdhParams},

	CKM_ZK_LOCK: {locksData: true, params: lockParams},
}

// MechanismInfo is a CK_MECHANISM_INFO.
type MechanismInfo struct {
	MinKeySize, MaxKeySize uint // in bits
	Flags                  uint
}

// GetMechanismList lists the mechanisms of the token in a slot (section 5.5.5).
func (p *Provider) GetMechanismList(slot uint, out Output[uint]) (err error) {
	t, err := p.token(slot)
	if err != nil {
		return err
	}
	defer t.done(&err)
	list := []uint{}
	for typ := range mechanisms {
		if _, err := t.mechanismInfo(typ); err == nil {
			list = append(list, typ)
		}
	}
	slices.Sort(list)
	return out.writeResult(list)
}

// GetMechanismInfo describes a mechanism of the token in a slot (section
// 5.5.6).
func (p *Provider) GetMechanismInfo(slot, typ uint) (info MechanismInfo, err error) {
	t, err := p.token(slot)
	if err != nil {
		return info, err
	}
	defer t.done(&err)
	return t.mechanismInfo(typ)
}

// mechanismInfo describes a mechanism, if the device has it.
//
// Deviates: keys on Edwards and Montgomery curves have 255 to 256 bits, not 255
// alone (sections 6.3.5 and 6.3.8). Modules say either, and clients compare.
func (t *token) mechanismInfo(typ uint) (MechanismInfo, error) {
	m, ok := mechanisms[typ]
	if !ok {
		return MechanismInfo{}, CKR_MECHANISM_INVALID
	}
	if m.digest {
		return MechanismInfo{Flags: CKF_DIGEST}, nil
	}
	if m.locksData {
		return t.lockInfo()
	}
	info := MechanismInfo{MinKeySize: CK_UNAVAILABLE_INFORMATION}
	for _, c := range scm.Curves {
		if f := m.curveFlags(&curves[c], t.capability(c)); f != 0 {
			info.Flags |= f
			info.MinKeySize = min(info.MinKeySize, curves[c].bits)
			info.MaxKeySize = 256
		}
	}
	if info.Flags == 0 {
		return MechanismInfo{}, CKR_MECHANISM_INVALID
	}
	info.Flags |= CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS
	if m.keyType == CKK_EC {
		info.Flags |= CKF_EC_UNCOMPRESS // points of the other curves have one form, which is short
	}
	if t.slot.options.Hardware {
		info.Flags |= CKF_HW
	}
	return info, nil
}

// serves reports whether a mechanism is for the function of a flag.
func (m *mechanism) serves(function uint) bool {
	switch function {
	case CKF_DIGEST:
		return m.digest
	case CKF_SIGN, CKF_VERIFY:
		return m.sign
	case CKF_GENERATE_KEY_PAIR:
		return m.generate
	case CKF_ENCRYPT, CKF_DECRYPT:
		return m.locksData
	case CKF_DERIVE:
		return m.derive != nil
	}
	return false
}

// curveFlags are the functions that a mechanism has with keys on a curve.
func (m *mechanism) curveFlags(c *curve, can scm.Capability) uint {
	var f uint
	switch {
	case !m.takesKeys(c.keyType):
	case m.generate && can.Generate:
		f = CKF_GENERATE_KEY_PAIR
	case m.sign && can.Sign:
		f = CKF_SIGN | CKF_VERIFY
	case m.derive != nil && can.Agree:
		f = CKF_DERIVE
	}
	return f
}

// takesKeys reports whether a mechanism works with keys of a type. ECDH does with
// both kinds of curves that can.
func (m *mechanism) takesKeys(keyType uint) bool {
	return m.keyType == keyType || m.derive != nil && keyType == CKK_EC_MONTGOMERY
}

// mechanismFor finds the mechanism of a function, which is named by its flag in
// CK_MECHANISM_INFO.
func mechanismFor(m *Mechanism, function uint) (mechanism, error) {
	row := mechanisms[m.Type]
	if !row.serves(function) {
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
	case o.class() != class || !row.takesKeys(o.keyType()):
		return nil, CKR_KEY_TYPE_INCONSISTENT
	case !o.attrs.isTrue(usage):
		return nil, CKR_KEY_FUNCTION_NOT_PERMITTED
	case o.broken():
		return nil, CKR_DEVICE_ERROR
	}
	return o, o.checkAllowed(m.Type)
}
