// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"testing"
)

// FuzzParsePrivate: what is read can be written, and read again as the same.
func FuzzParsePrivate(f *testing.F) {
	for _, k := range privateKeys(f) {
		f.Add(need[[]byte](f)(k.Marshal()))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		k, err := ReopenPrivate(TrimPrivate(der))
		if err != nil {
			if !typedError(err) {
				t.Error(err)
			}
			return
		}
		first := need[[]byte](t)(k.Marshal())
		again := need[PrivateKey](t)(ReopenPrivate(first))
		got, err := again.Marshal()
		wanted(t, "again", got, err, first)
		signsAny(t, k)
	})
}

// signsAny uses a key, whatever it is.
func signsAny(t *testing.T, k PrivateKey) {
	t.Helper()
	var err error
	switch k := k.(type) {
	case *RSA:
		_, err = k.DecryptRaw().Whole(nil, make([]byte, k.Size()))
	case *EC:
		signer, signErr := k.Sign(crypto.SHA256)
		signed(t, signer, signErr, nil)
	case *Edwards:
		signer, signErr := k.Sign(EdDSA{})
		signed(t, signer, signErr, nil)
	case *MLKEM:
		_, err = k.Decapsulate(make([]byte, k.Set().CiphertextSize()))
	}
	if err != nil {
		t.Error(err)
	}
}

// FuzzParsePublic: what is read can be written, and read again as the same.
func FuzzParsePublic(f *testing.F) {
	for _, k := range privateKeys(f) {
		f.Add(need[[]byte](f)(k.Public().Marshal()))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		k, err := ParsePublic(der)
		if err != nil {
			if !typedError(err) {
				t.Error(err)
			}
			return
		}
		first := need[[]byte](t)(k.Marshal())
		got, err := need[PublicKey](t)(ParsePublic(first)).Marshal()
		wanted(t, "again", got, err, first)
	})
}

// FuzzPoint: a point is on the curve, and reads as itself.
func FuzzPoint(f *testing.F) {
	for _, c := range weierstrassCurves {
		f.Add(int(c), need[*EC](f)(GenerateEC(c)).PublicEC().Point())
	}
	f.Fuzz(func(t *testing.T, curve int, b []byte) {
		point, err := Curve(curve).ParsePoint(b)
		if err != nil {
			if !typedError(err) {
				t.Error(err)
			}
			return
		}
		got, err := Curve(curve).ParsePoint(point)
		wanted(t, "again", got, err, point)
		k := need[*EC](t)(NewEC(Curve(curve), []byte{2}))
		if _, err := k.Agree(Agreement{Peer: b}, 0); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRSANumbers: a key that is taken signs.
func FuzzRSANumbers(f *testing.F) {
	x := rsaFile(f).Numbers()
	f.Add(x.N, x.E, x.D, x.P, x.Q, x.DP)
	f.Add(x.N, x.E, x.D, []byte{}, []byte{}, []byte{})
	f.Add(x.N, x.E, []byte{}, x.P, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, n, e, d, p, q, dp []byte) {
		k, err := NewRSA(RSANumbers{N: n, E: e, D: d, P: p, Q: q, DP: dp})
		if err != nil {
			if !typedError(err) {
				t.Error(err)
			}
			return
		}
		signer, err := k.SignPKCS1(crypto.SHA256)
		signed(t, signer, err, nil)
	})
}

// FuzzUnwrap: what is unwrapped wraps to the same. A message that was not wrapped is refused.
func FuzzUnwrap(f *testing.F) {
	k := need[*AES](f)(NewAES(make([]byte, 16)))
	for _, w := range wrappings(k) {
		f.Add(need[[]byte](f)(need[Stream](f)(w.wrap(nil)).Whole(nil, make([]byte, 24))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, w := range wrappings(k) {
			got, err := need[Stream](t)(w.unwrap(nil)).Whole(nil, b)
			if err != nil {
				if !typedError(err) {
					t.Error(err)
				}
				continue
			}
			again, err := need[Stream](t)(w.wrap(nil)).Whole(nil, got)
			wanted(t, w.name, again, err, b)
		}
	})
}

// FuzzStreams: all modes give the same in parts as in one part, over itself, and after both ways the message.
func FuzzStreams(f *testing.F) {
	f.Add([]byte("message"), uint8(3), uint8(0))
	f.Add(make([]byte, 64), uint8(16), uint8(1))
	f.Fuzz(func(t *testing.T, message []byte, part, offset uint8) {
		k := need[*AES](t)(NewAES(make([]byte, 32)))
		iv := make([]byte, 16)
		for name, begin := range map[string][2]begun{
			"ECB": {func() (Stream, error) { return k.EncryptECB(), nil }, func() (Stream, error) { return k.DecryptECB(), nil }},
			"CBC": {func() (Stream, error) { return k.EncryptCBC(iv) }, func() (Stream, error) { return k.DecryptCBC(iv) }},
			"PAD": {func() (Stream, error) { return k.EncryptCBCPad(iv) }, func() (Stream, error) { return k.DecryptCBCPad(iv) }},
			"CTR": {func() (Stream, error) { return k.CTR(9, iv) }, func() (Stream, error) { return k.CTR(9, iv) }},
			"GCM": {func() (Stream, error) { return k.EncryptGCM(GCM{iv, message, 96}) }, func() (Stream, error) { return k.DecryptGCM(GCM{iv, message, 96}) }},
		} {
			sealed, err := begin[0].both(t, message, 1+int(part))
			if err != nil {
				refused(t, name, err, ErrLength)
				continue
			}
			room := make([]byte, int(offset)+len(message), int(offset)+2*len(sealed)+64)
			copy(room[offset:], message)
			over, err := need[Stream](t)(begin[0]()).Whole(room[:0:cap(room)], room[offset:])
			wanted(t, name+" over itself", over, err, sealed)
			got, err := begin[1].both(t, sealed, 1+int(part))
			if !bytes.Equal(got, message) || err != nil {
				t.Errorf("%s: %x, %v", name, got, err)
			}
			if _, err := begin[1].both(t, message, 1+int(part)); err != nil && !typedError(err) {
				t.Error(name, err)
			}
		}
	})
}
