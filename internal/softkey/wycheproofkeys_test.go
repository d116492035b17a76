// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"slices"
	"testing"
)

// publicOf reads the public key of a group, as what it has to be.
func publicOf[K PublicKey](t *testing.T, g *group) K {
	t.Helper()
	public, err := ParsePublic(g.PublicKeyDer)
	if err != nil {
		t.Fatal(err)
	}
	k, is := public.(K)
	if !is {
		t.Fatalf("public key of type %T", public)
	}
	der, err := k.Marshal()
	wanted(t, "public key", der, err, g.PublicKeyDer)
	return k
}

func wycheproofECDSA(t *testing.T, g *group, v *vector) error {
	h := hashNamed(t, g.Sha)
	k := publicOf[*ECPublic](t, g)
	verifier, err := k.Verify(h)
	err = verified(verifier, err, v.Msg, v.Sig)
	verifier, digestErr := k.Verify(0)
	if digestErr = verified(verifier, digestErr, digest(h, v.Msg), v.Sig); digestErr != err {
		t.Errorf("%d: %v; by the hash %v", v.TcID, err, digestErr)
	}
	return err
}

func wycheproofEd25519(t *testing.T, g *group, v *vector) error {
	verifier, err := publicOf[*EdwardsPublic](t, g).Verify(EdDSA{})
	return verified(verifier, err, v.Msg, v.Sig)
}

func wycheproofPKCS1(t *testing.T, g *group, v *vector) error {
	verifier, err := publicOf[*RSAPublic](t, g).VerifyPKCS1(hashNamed(t, g.Sha))
	return verified(verifier, err, v.Msg, v.Sig)
}

func wycheproofPSS(t *testing.T, g *group, v *vector) error {
	h := hashNamed(t, g.Sha)
	p := PSS{h, hashNamed(t, g.MgfSha), g.SLen}
	k := publicOf[*RSAPublic](t, g)
	verifier, err := k.VerifyPSS(p)
	err = verified(verifier, err, v.Msg, v.Sig)
	verifier, digestErr := k.VerifyDigestPSS(p)
	if digestErr = verified(verifier, digestErr, digest(h, v.Msg), v.Sig); digestErr != err {
		t.Errorf("%d: %v; by the hash %v", v.TcID, err, digestErr)
	}
	return err
}

func wycheproofOAEP(t *testing.T, g *group, v *vector) error {
	k, err := ReopenPrivate(g.PrivateKeyPkcs8)
	if err != nil {
		t.Fatal(err)
	}
	p := OAEP{hashNamed(t, g.Sha), hashNamed(t, g.MgfSha), v.Label}
	s, err := k.(*RSA).DecryptOAEP(p)
	if err != nil {
		return err
	}
	got, err := s.Whole(nil, v.Ct)
	if err != nil {
		return err
	}
	return same(got, v.Msg)
}

// wycheproofECDH has public keys as a SubjectPublicKeyInfo, some of them with parameters in place of a name.
func wycheproofECDH(_ *testing.T, _ *group, v *vector) error {
	public, err := ParsePublic(v.Public)
	if err != nil {
		return err
	}
	point, is := public.(*ECPublic)
	if !is || point.Curve() != Secp256k1 {
		return ErrKey
	}
	return agreed(Secp256k1, v, point.Raw())
}

func wycheproofPoint(t *testing.T, g *group, v *vector) error {
	for _, c := range weierstrassCurves {
		if slices.Contains(curveRows[c].names, g.Curve) {
			return agreed(c, v, v.Public)
		}
	}
	t.Fatalf("curve %q", g.Curve)
	return nil
}

func agreed(c Curve, v *vector, peer []byte) error {
	k, err := NewEC(c, v.Private)
	if err != nil {
		return err
	}
	got, err := k.Agree(Agreement{Peer: peer}, 0)
	if err != nil {
		return err
	}
	return same(got, v.Shared)
}

func wycheproofX25519(t *testing.T, _ *group, v *vector) error {
	k, err := NewMontgomery(v.Private)
	if err != nil {
		return err
	}
	got, err := k.Agree(Agreement{Peer: v.Public}, 0)
	if zero := v.flagged("ZeroSharedSecret"); zero != (err != nil) {
		t.Errorf("%d (%s): %v", v.TcID, v.Comment, err)
	}
	if err != nil {
		return err
	}
	return same(got, v.Shared)
}
