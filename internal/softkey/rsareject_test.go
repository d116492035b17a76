// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"crypto/sha3"
	"slices"
	"testing"
)

func TestOAEP(t *testing.T) {
	k := rsaFile(t)
	public := k.PublicRSA()
	for _, h := range Hashes() {
		for _, p := range []OAEP{{h, h, nil}, {h, crypto.SHA1, []byte("label")}, {crypto.SHA1, h, nil}} {
			most := 256 - 2 - 2*p.Hash.Size()
			for _, n := range []int{0, 1, most} {
				message := randomBytes(n)
				s := need[Stream](t)(public.EncryptOAEP(p))
				sealed := need[[]byte](t)(inParts(t, s, message, 50))
				got, err := begun(func() (Stream, error) { return k.DecryptOAEP(p) }).both(t, sealed, 60)
				wanted(t, "OAEP", got, err, message)
				otherOAEP(t, k, p, sealed)
			}
			_, err := need[Stream](t)(public.EncryptOAEP(p)).Whole(nil, make([]byte, most+1))
			refused(t, "too long", err, ErrLength)
		}
	}
	_, err := k.DecryptOAEP(OAEP{Hash: crypto.MD5, MGF: crypto.SHA1})
	refused(t, "MD5", err, ErrUnsupported)
	_, err = public.EncryptOAEP(OAEP{Hash: crypto.SHA1})
	refused(t, "no mask", err, ErrUnsupported)
}

// otherOAEP: whatever is wrong gives the same error.
func otherOAEP(t *testing.T, k *RSA, p OAEP, sealed []byte) {
	t.Helper()
	open := func(p OAEP, sealed []byte) {
		out, err := need[Stream](t)(k.DecryptOAEP(p)).Whole(nil, sealed)
		if err != ErrData || out != nil {
			t.Errorf("%x, %v", out, err)
		}
	}
	open(OAEP{p.Hash, p.MGF, []byte("another")}, sealed)
	changed := bytes.Clone(sealed)
	changed[200] ^= 1
	open(p, changed)
	open(p, bytes.Repeat([]byte{0xff}, 256))
	_, err := need[Stream](t)(k.DecryptOAEP(p)).Whole(nil, sealed[1:])
	refused(t, "shorter", err, ErrLength)
}

func TestPKCS1Encryption(t *testing.T) {
	k := rsaFile(t)
	public := k.PublicRSA()
	for _, n := range []int{0, 1, 48, 245} {
		message := randomBytes(n)
		sealed := need[[]byte](t)(inParts(t, public.EncryptPKCS1(), message, 50))
		got, err := begun(func() (Stream, error) { return k.DecryptPKCS1(), nil }).both(t, sealed, 60)
		wanted(t, "PKCS1", got, err, message)
		if n > 1 {
			got, err = k.UnwrapPKCS1(sealed, n)
			wanted(t, "unwrapped", got, err, message)
			got, err = k.UnwrapPKCS1(sealed, n-1)
			if err != nil || bytes.Equal(got, message[1:]) {
				t.Errorf("unwrapped to another length: %x, %v", got, err)
			}
		}
	}
	_, err := public.EncryptPKCS1().Whole(nil, make([]byte, 246))
	refused(t, "too long", err, ErrLength)
	_, err = k.DecryptPKCS1().Whole(nil, make([]byte, 255))
	refused(t, "shorter", err, ErrLength)
	_, err = k.DecryptPKCS1().Whole(nil, k.Numbers().N)
	refused(t, "the modulus", err, ErrData)
	_, err = k.UnwrapPKCS1(make([]byte, 255), 16)
	refused(t, "shorter", err, ErrLength)
	got := need[[]byte](t)(k.UnwrapPKCS1(need[[]byte](t)(public.EncryptPKCS1().Whole(nil, []byte("24 bytes in this message"))), 16, 24, 32))
	wanted(t, "one of three lengths", got, nil, []byte("24 bytes in this message"))
	_, err = k.UnwrapPKCS1(make([]byte, 256))
	refused(t, "a key of no length", err, ErrLength)
	_, err = k.UnwrapPKCS1(make([]byte, 256), 246)
	refused(t, "a key that is too long", err, ErrLength)
	_, err = k.UnwrapPKCS1(k.Numbers().N, 16)
	refused(t, "the modulus", err, ErrData)
}

// TestRejected: a wrong padding gives a message that the key and the encrypted message alone decide. The first
// bytes and the lengths come from a program in Python.
func TestRejected(t *testing.T) {
	k := rsaFile(t)
	body := bytes.Repeat([]byte{0x11}, 254)
	m := bytes.Repeat([]byte{'m'}, 246)
	for _, v := range []struct {
		name   string
		padded []byte
		want   string
		size   int
	}{
		{"version 1", slices.Concat([]byte{0, 1}, body[:200], []byte{0}, m[:53]), "3fd67e8dad7fc176", 245},
		{"no end", append([]byte{0, 2}, body...), "fd1ddb2dd0a450dd", 176},
		{"seven bytes of padding", slices.Concat([]byte{0, 2}, body[:7], []byte{0}, m), "56b4e905c20d86c0", 147},
		{"first byte", slices.Concat([]byte{1, 2}, body[:200], []byte{0}, m[:53]), "52bb2bab27ee7880", 19},
	} {
		sealed := need[[]byte](t)(k.PublicRSA().public(v.padded))
		for range 2 {
			got, err := k.DecryptPKCS1().Whole(nil, sealed)
			if err != nil || len(got) != v.size || !bytes.Equal(got[:8], unhex(t, v.want)) {
				t.Errorf("%s: %x, %v", v.name, got, err)
			}
		}
		whole := need[[]byte](t)(k.UnwrapPKCS1(sealed, v.size))
		wanted(t, v.name+", unwrapped", whole[:8], nil, unhex(t, v.want))
		some := need[[]byte](t)(k.UnwrapPKCS1(sealed, 16, 24, 32))
		longest := need[[]byte](t)(k.UnwrapPKCS1(sealed, 245))
		wanted(t, v.name+", unwrapped to one of three", some, nil, longest[245-[]int{16, 24, 32}[v.size%3]:])
		short := need[[]byte](t)(k.UnwrapPKCS1(sealed, 16))
		wanted(t, v.name+", unwrapped to 16 bytes", short, nil, whole[v.size-16:])
	}
	for i, want := range []string{"4ed3c5eec2ffa7b2", "254e650c7696b089", "834a38a4b60288a0", "d565db9a17f6dba5"} {
		sealed := sha3.SumSHAKE256([]byte("softkey "+string(rune('0'+i))), 256)
		sealed[0] = 0
		got, err := k.DecryptPKCS1().Whole(nil, sealed)
		wanted(t, "at random", got[:8], err, unhex(t, want))
	}
}

// TestRejectedLengths: a decryption of what is at random never fails.
func TestRejectedLengths(t *testing.T) {
	k := rsaFile(t)
	for range 50 {
		sealed := randomBytes(256)
		sealed[0] = 0
		got, err := k.DecryptPKCS1().Whole(nil, sealed)
		if err != nil || len(got) > 245 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}
