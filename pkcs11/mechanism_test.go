// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// TestMechanismTable: a row is for something, with the keys that this needs.
func TestMechanismTable(t *testing.T) {
	for typ, row := range mechanisms {
		functions := row.flags()
		if MechanismName(typ) == "" || functions == 0 {
			t.Errorf("mechanism 0x%x %s has functions 0x%x", typ, MechanismName(typ), functions)
		}
		if (functions == CKF_DIGEST || row.needs != nil) == (row.keys != nil) {
			t.Errorf("%s: a digest and CKM_ZK_LOCK have no key object, everything else has one", MechanismName(typ))
		}
		if row.digest != nil && row.hash == 0 || row.onePart && row.hash != 0 {
			t.Errorf("%s: hash %v", MechanismName(typ), row.hash)
		}
		if (row.sign == nil) != (row.verify == nil) || (row.encrypt == nil) != (row.decrypt == nil) {
			t.Errorf("%s: what one does nobody undoes", MechanismName(typ))
		}
	}
}

func (f *fixture) mechanisms() []uint {
	f.Helper()
	length := uint(300)
	list := make([]uint, length)
	f.ok(f.GetMechanismList(0, Output[uint]{Buffer: list, Length: &length}))
	return list[:length]
}

func TestGetMechanismList(t *testing.T) {
	f := newPublic(t)
	list := f.mechanisms()
	ofDevice := 0
	for _, row := range mechanisms {
		if !row.sealed {
			ofDevice++
		}
	}
	if !slices.IsSorted(list) || len(list) != ofDevice {
		t.Errorf("%d mechanisms, want %d in ascending order", len(list), ofDevice)
	}
	if all := newSealing(t).mechanisms(); !slices.IsSorted(all) || len(all) != len(mechanisms) {
		t.Errorf("%d mechanisms with sealed keys, want %d in ascending order", len(all), len(mechanisms))
	}
	length := uint(3)
	want(t, "too small", f.GetMechanismList(0, Output[uint]{Buffer: make([]uint, 3), Length: &length}), CKR_BUFFER_TOO_SMALL)
	if length != uint(len(list)) {
		t.Errorf("length %d, want %d", length, len(list))
	}
	for _, typ := range list {
		_, err := f.GetMechanismInfo(0, typ)
		want(t, MechanismName(typ), err, CKR_OK)
	}
	_, err := f.GetMechanismInfo(0, CKM_RSA_PKCS)
	want(t, "not there", err, CKR_MECHANISM_INVALID)
}

func TestGetMechanismInfo(t *testing.T) {
	f := newPublic(t)
	const curve = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS
	const prime = curve | CKF_EC_UNCOMPRESS
	const signing = CKF_SIGN | CKF_VERIFY | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE
	for typ, wanted := range map[uint]MechanismInfo{
		CKM_SHA256:                     {Flags: CKF_DIGEST},
		CKM_ECDSA:                      {256, 256, signing | prime},
		CKM_ECDSA_SHA3_512:             {256, 256, signing | prime},
		CKM_EDDSA:                      {255, 256, signing | curve},
		CKM_EC_KEY_PAIR_GEN:            {256, 256, CKF_GENERATE_KEY_PAIR | prime},
		CKM_EC_EDWARDS_KEY_PAIR_GEN:    {255, 256, CKF_GENERATE_KEY_PAIR | curve},
		CKM_EC_MONTGOMERY_KEY_PAIR_GEN: {255, 256, CKF_GENERATE_KEY_PAIR | curve},
		CKM_ECDH1_DERIVE:               {255, 256, CKF_DERIVE | prime},
		CKM_ZK_LOCK:                    {Flags: CKF_ENCRYPT | CKF_DECRYPT},
	} {
		if info, err := f.GetMechanismInfo(0, typ); err != nil || info != wanted {
			t.Errorf("%s: %+v, %v, want %+v", MechanismName(typ), info, err, wanted)
		}
	}
}

// limited is a device that can do less than a soft SCM, like some real ones.
type limited struct {
	scm.Device
	can map[scm.Curve]scm.Capability
}

func (l limited) Capability(c scm.Curve) scm.Capability { return l.can[c] }

// plain is a device without any of the optional interfaces.
type plain struct{ scm.Device }

// withDevice returns a fixture whose device is seen through wrap.
func withDevice(t *testing.T, hardware bool, wrap func(scm.Device) scm.Device) *fixture {
	t.Helper()
	f := newPublic(t)
	f.Close()
	p := New(Options{Log: f.log, Slots: []SlotOptions{{Hardware: hardware, Open: func() (scm.Device, *store.Store, error) {
		d, s, err := f.open()
		return wrap(d), s, err
	}}}})
	f.Provider = p
	f.h = f.session(CKF_RW_SESSION)
	return f
}

// TestMechanismsFollowTheDevice: what the device cannot do is not on the list,
// and is refused.
func TestMechanismsFollowTheDevice(t *testing.T) {
	f := withDevice(t, true, func(d scm.Device) scm.Device {
		return limited{d, map[scm.Curve]scm.Capability{
			scm.P256: {Generate: true, Sign: true}, scm.Secp256k1: {Sign: true}, scm.Ed25519: {Sign: true},
		}}
	})
	list := f.mechanisms()
	for typ, wanted := range map[uint]bool{
		CKM_SHA256: true, CKM_ECDSA: true, CKM_EDDSA: true, CKM_EC_KEY_PAIR_GEN: true,
		CKM_EC_EDWARDS_KEY_PAIR_GEN: false, CKM_EC_MONTGOMERY_KEY_PAIR_GEN: false, CKM_ECDH1_DERIVE: false,
	} {
		if slices.Contains(list, typ) != wanted {
			t.Errorf("%s on the list: %v", MechanismName(typ), !wanted)
		}
		info, err := f.GetMechanismInfo(0, typ)
		if (err == nil) != wanted || wanted && typ != CKM_SHA256 && info.Flags&CKF_HW == 0 {
			t.Errorf("%s: %+v, %v", MechanismName(typ), info, err)
		}
	}
}

// TestPlainDevice: a device that can only do what every device can.
func TestPlainDevice(t *testing.T) {
	f := withDevice(t, false, func(d scm.Device) scm.Device { return plain{d} })
	if slices.Contains(f.mechanisms(), CKM_ECDH1_DERIVE) {
		t.Error("a device that cannot agree on keys derives them")
	}
	f.login(CKU_USER)
	f.reads(f.private(0), CKA_DERIVE, false)
	_, _, err := f.tryPair(scm.P256, nil, nil)
	want(t, "a session key", err, CKR_TEMPLATE_INCONSISTENT)
	_, _, err = f.tryPair(scm.P256, nil, []any{CKA_TOKEN, true, zkSlot, 20})
	want(t, "a slot by number", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.derive(CKM_ECDH1_DERIVE, f.private(0), publicPoint(t))
	want(t, "derive", err, CKR_KEY_FUNCTION_NOT_PERMITTED)
}

// TestEveryFlag: what a mechanism's flags promise can be begun with some key,
// and what they do not promise cannot.
func TestEveryFlag(t *testing.T) {
	f := newUser(t)
	private, public := map[uint]uint{}, map[uint]uint{}
	for _, c := range scm.Curves {
		public[curves[c].keyType], private[curves[c].keyType] = f.pairOn(c, CKA_DERIVE, c != scm.Ed25519)
	}
	for typ, row := range mechanisms {
		if row.sealed {
			continue
		}
		info, err := f.GetMechanismInfo(0, typ)
		f.ok(err)
		m := &Mechanism{Type: typ}
		ecdh := &Mechanism{Type: typ, Params: &ECDH1Params{KDF: CKD_NULL, Public: publicPoint(t)}}
		if row.derive != nil {
			m = ecdh
		}
		keyType := row.keyType()
		if keyType == CKK_EC {
			public[CKK_EC], private[CKK_EC] = f.pairOn(scm.P256, CKA_DERIVE, true)
		}
		_, derived := f.DeriveKey(f.h, m, private[keyType], nil)
		template, curve := []Attribute(nil), curveOfType(keyType)
		if curve != nil {
			template = is(CKA_EC_PARAMS, curve.encodeParams(), CKA_TOKEN, true)
		}
		_, _, generated := f.GenerateKeyPair(f.h, m, template, is(CKA_TOKEN, true))
		for flag, err := range map[uint]error{
			CKF_DIGEST: f.DigestInit(f.h, m), CKF_SIGN: f.SignInit(f.h, m, private[keyType]),
			CKF_VERIFY: f.VerifyInit(f.h, m, public[keyType]), CKF_DERIVE: derived, CKF_GENERATE_KEY_PAIR: generated,
			CKF_ENCRYPT: f.EncryptInit(f.h, m, 0), CKF_DECRYPT: f.DecryptInit(f.h, m, 0),
		} {
			code := Error(CKR_OK)
			if info.Flags&flag == 0 {
				code = CKR_MECHANISM_INVALID
			}
			want(t, MechanismName(typ), err, code)
		}
		f.ok(f.SessionCancel(f.h, ^uint(0)))
	}
}

// curveOfType returns the first curve of a key type.
func curveOfType(keyType uint) *curve {
	for i := range curves {
		if curves[i].keyType == keyType {
			return &curves[i]
		}
	}
	return nil
}

// keyType is the first type of a mechanism's keys, 0 for none.
func (m *mechanism) keyType() uint {
	if m.keys == nil {
		return 0
	}
	return m.keys.types[0]
}
