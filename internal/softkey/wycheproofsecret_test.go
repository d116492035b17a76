// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"testing"
)

// same is ErrData for what came out wrong where nothing was refused.
func same(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return ErrData
	}
	return nil
}

func wycheproofCBC(t *testing.T, _ *group, v *vector) error {
	k, err := NewAES(v.Key)
	if err != nil {
		return err
	}
	got, err := begun(func() (Stream, error) { return k.DecryptCBCPad(v.Iv) }).both(t, v.Ct, 7)
	if err != nil || !bytes.Equal(got, v.Msg) {
		return err
	}
	got, err = begun(func() (Stream, error) { return k.EncryptCBCPad(v.Iv) }).both(t, v.Msg, 5)
	wanted(t, v.Comment, got, err, v.Ct)
	return same(got, v.Ct)
}

func wycheproofCMAC(t *testing.T, g *group, v *vector) error {
	k, err := NewAES(v.Key)
	if err != nil {
		return err
	}
	return verifyCode(func() (*MAC, error) { return k.CMACGeneral(g.TagSize / 8) }, v)
}

func wycheproofHMAC(t *testing.T, g *group, v *vector) error {
	s, err := NewSecret(v.Key)
	if err != nil {
		return err
	}
	h := hashOfFile(t)
	return verifyCode(func() (*MAC, error) { return s.HMACGeneral(h, g.TagSize/8) }, v)
}

// verifyCode verifies the code, and makes it if it is right.
func verifyCode(begin func() (*MAC, error), v *vector) error {
	m, err := begin()
	if err := verified(m, err, v.Msg, v.Tag); err != nil {
		return err
	}
	m, err = begin()
	if err != nil {
		return err
	}
	if err := m.Update(v.Msg); err != nil {
		return err
	}
	code, err := m.Sign(nil)
	if err != nil {
		return err
	}
	return same(code, v.Tag)
}

func wycheproofGCM(t *testing.T, g *group, v *vector) error {
	k, err := NewAES(v.Key)
	if err != nil {
		return err
	}
	p := GCM{IV: v.Iv, AAD: v.Aad, TagBits: g.TagSize}
	sealed := append(bytes.Clone(v.Ct), v.Tag...)
	got, err := begun(func() (Stream, error) { return k.DecryptGCM(p) }).both(t, sealed, 9)
	if err != nil {
		return err
	}
	if err := same(got, v.Msg); err != nil {
		return err
	}
	got, err = begun(func() (Stream, error) { return k.EncryptGCM(p) }).both(t, v.Msg, 11)
	if err != nil {
		return err
	}
	return same(got, sealed)
}

func wycheproofWrap(t *testing.T, _ *group, v *vector) error {
	k, err := NewAES(v.Key)
	if err != nil {
		return err
	}
	wrap := func() (Stream, error) { return k.Wrap(nil) }
	unwrap := func() (Stream, error) { return k.Unwrap(nil) }
	return wrapped2(t, wrap, unwrap, v)
}

func wycheproofPadded(t *testing.T, _ *group, v *vector) error {
	k, err := NewAES(v.Key)
	if err != nil {
		return err
	}
	wrap := func() (Stream, error) { return k.WrapPadded(nil) }
	unwrap := func() (Stream, error) { return k.UnwrapPadded(nil) }
	return wrapped2(t, wrap, unwrap, v)
}

// wrapped2 unwraps, and wraps again what came out.
func wrapped2(t *testing.T, wrap, unwrap begun, v *vector) error {
	got, err := unwrap.both(t, v.Ct, 5)
	if err != nil {
		return err
	}
	if err := same(got, v.Msg); err != nil {
		return err
	}
	got, err = wrap.both(t, v.Msg, 3)
	if err != nil {
		return err
	}
	return same(got, v.Ct)
}

func wycheproofHKDF(t *testing.T, _ *group, v *vector) error {
	s, err := NewSecret(v.Ikm)
	if err != nil {
		return err
	}
	h := hashOfFile(t)
	got, err := s.HKDF(HKDF{Hash: h, Extract: true, Expand: true, Salt: v.Salt, Info: v.Info}, v.Size)
	if err != nil {
		return err
	}
	if err := same(got, v.Okm); err != nil {
		return err
	}
	return hkdfInSteps(s, HKDF{Hash: h, Salt: v.Salt, Info: v.Info}, v)
}

// hkdfInSteps does first one half of it, and then the other.
func hkdfInSteps(s *Secret, p HKDF, v *vector) error {
	p.Extract = true
	key, err := s.HKDF(p, 0)
	if err != nil {
		return err
	}
	extracted, err := NewSecret(key)
	if err != nil {
		return err
	}
	p.Extract, p.Expand = false, true
	got, err := extracted.HKDF(p, v.Size)
	if err != nil {
		return err
	}
	return same(got, v.Okm)
}
