// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// signs makes and checks a signature, and wants each of some changes refused.
func signs(t *testing.T, name string, sign func() (Signer, error), verify func() (Verifier, error), message []byte) []byte {
	t.Helper()
	signer, err := sign()
	signature := signed(t, signer, err, message)
	check := func(what string, message, signature []byte, want error) {
		t.Helper()
		verifier, err := verify()
		if err := verified(verifier, err, message, signature); err != want {
			t.Errorf("%s, %s: %v, want %v", name, what, err, want)
		}
	}
	check("right", message, signature, nil)
	check("longer", message, append(bytes.Clone(signature), 0), ErrSignatureLength)
	check("shorter", message, signature[:len(signature)-1], ErrSignatureLength)
	check("none", message, nil, ErrSignatureLength)
	check("ones", message, bytes.Repeat([]byte{0xff}, len(signature)), ErrSignature)
	check("zeros", message, make([]byte, len(signature)), ErrSignature)
	for _, i := range []int{0, len(signature) / 2, len(signature) - 1} {
		changed := bytes.Clone(signature)
		changed[i] ^= 1
		check("changed", message, changed, ErrSignature)
	}
	changed := bytes.Clone(message)
	changed[len(changed)-1] ^= 1
	check("another message", changed, signature, ErrSignature)
	return signature
}

// TestPKCS1: all hashes, and the library of the standard says the same of the result.
func TestPKCS1(t *testing.T) {
	k := rsaFile(t)
	public := k.PublicRSA()
	for _, h := range Hashes() {
		signature := signs(t, h.String(), func() (Signer, error) { return k.SignPKCS1(h) }, func() (Verifier, error) { return public.VerifyPKCS1(h) }, []byte("message"))
		if err := rsa.VerifyPKCS1v15(public.key, h, digest(h, []byte("message")), signature); err != nil {
			t.Errorf("%s: %v", h, err)
		}
	}
	_, err := k.SignPKCS1(crypto.MD5)
	refused(t, "MD5", err, ErrUnsupported)
	for _, n := range []int{1, 20, 245} {
		message := randomBytes(n)
		signature := signs(t, "no hash", func() (Signer, error) { return k.SignPKCS1(0) }, func() (Verifier, error) { return public.VerifyPKCS1(0) }, message)
		got, err := public.RecoverPKCS1(signature)
		wanted(t, "recovered", got, err, message)
	}
	signer := need[Signer](t)(k.SignPKCS1(0))
	refused(t, "too long", signer.Update(make([]byte, 246)), ErrLength)
}

// TestPSS: hashes of message and mask that differ, all lengths of salt that fit and none that does not.
func TestPSS(t *testing.T) {
	k := rsaFile(t)
	public := k.PublicRSA()
	for _, h := range Hashes() {
		most := 256 - 2 - h.Size()
		for _, p := range []PSS{{h, h, h.Size()}, {h, crypto.SHA1, 0}, {h, crypto.SHA3_512, most}, {h, h, 1}} {
			signature := signs(t, h.String(), func() (Signer, error) { return k.SignPSS(p) }, func() (Verifier, error) { return public.VerifyPSS(p) }, []byte("message"))
			hashed := digest(h, []byte("message"))
			signs(t, h.String(), func() (Signer, error) { return k.SignDigestPSS(p) }, func() (Verifier, error) { return public.VerifyDigestPSS(p) }, hashed)
			if options := (&rsa.PSSOptions{SaltLength: p.Salt}); p.Hash == p.MGF {
				if err := rsa.VerifyPSS(public.key, h, hashed, signature, options); err != nil {
					t.Errorf("%s, salt of %d: %v", h, p.Salt, err)
				}
			}
			otherSalt(t, public, p, signature)
		}
		for _, salt := range []int{-1, most + 1, 1 << 30} {
			_, err := k.SignPSS(PSS{h, h, salt})
			refused(t, "salt", err, ErrParameter)
			_, err = public.VerifyDigestPSS(PSS{h, h, salt})
			refused(t, "salt", err, ErrParameter)
		}
	}
	_, err := k.SignPSS(PSS{crypto.MD5, crypto.SHA1, 1})
	refused(t, "MD5", err, ErrUnsupported)
	_, err = k.SignPSS(PSS{crypto.SHA1, crypto.MD5, 1})
	refused(t, "MD5", err, ErrUnsupported)
	for _, n := range []int{0, 31, 33} {
		signer := need[Signer](t)(k.SignDigestPSS(PSS{crypto.SHA256, crypto.SHA256, 32}))
		if err := signer.Update(make([]byte, n)); err == nil {
			_, err = signer.Sign(nil)
			refused(t, "length of hash", err, ErrLength)
		}
	}
}

// otherSalt: the length of the salt is a part of what is agreed.
func otherSalt(t *testing.T, public *RSAPublic, p PSS, signature []byte) {
	t.Helper()
	p.Salt ^= 1
	if p.validate(public.Size()) != nil {
		return
	}
	verifier, err := public.VerifyPSS(p)
	if err := verified(verifier, err, []byte("message"), signature); err != ErrSignature {
		t.Errorf("salt of %d: %v", p.Salt, err)
	}
}

// TestPSSOfLibrary checks signatures that the library of the standard has made.
func TestPSSOfLibrary(t *testing.T) {
	k := rsaFile(t)
	for _, salt := range []int{1, 32, 222} {
		hashed := digest(crypto.SHA256, []byte("message"))
		signature := need[[]byte](t)(rsa.SignPSS(rand.Reader, k.key, crypto.SHA256, hashed, &rsa.PSSOptions{SaltLength: salt}))
		verifier, err := k.PublicRSA().VerifyPSS(PSS{crypto.SHA256, crypto.SHA256, salt})
		if err := verified(verifier, err, []byte("message"), signature); err != nil {
			t.Errorf("salt of %d: %v", salt, err)
		}
	}
}

func TestRaw(t *testing.T) {
	k := rsaFile(t)
	public := k.PublicRSA()
	for _, n := range []int{1, 17, 255} {
		message := randomBytes(n)
		message[0] |= 1
		signature := signs(t, "raw", func() (Signer, error) { return k.SignRaw(), nil }, func() (Verifier, error) { return public.VerifyRaw(), nil }, message)
		full := append(make([]byte, 256-n), message...)
		got, err := public.RecoverRaw(signature)
		wanted(t, "recovered", got, err, full)
		sealed, err := begun(func() (Stream, error) { return public.EncryptRaw(), nil }).both(t, message, 100)
		if err != nil {
			t.Fatal(err)
		}
		got, err = begun(func() (Stream, error) { return k.DecryptRaw(), nil }).both(t, sealed, 100)
		wanted(t, "raw", got, err, full)
	}
	n := k.Numbers().N
	_, err := public.EncryptRaw().Whole(nil, n)
	refused(t, "the modulus", err, ErrData)
	_, err = k.DecryptRaw().Whole(nil, n)
	refused(t, "the modulus", err, ErrData)
	_, err = public.EncryptRaw().Whole(nil, append([]byte{0}, n...))
	refused(t, "longer than the modulus", err, ErrLength)
	_, err = k.DecryptRaw().Whole(nil, n[1:])
	refused(t, "shorter than the modulus", err, ErrLength)
	_, err = public.RecoverRaw(n)
	refused(t, "the modulus", err, ErrSignature)
	signer := k.SignRaw()
	if err := signer.Update(n); err != nil {
		t.Error(err)
	}
	_, err = signer.Sign(nil)
	refused(t, "the modulus", err, ErrData)
}

// TestRawSizes: keys of other sizes, whose primes have other lengths of words.
func TestRawSizes(t *testing.T) {
	for _, bits := range []int{2056, 3072} {
		k := need[*RSA](t)(GenerateRSA(bits))
		message := randomBytes(k.Size() - 1)
		signs(t, "raw", func() (Signer, error) { return k.SignRaw(), nil }, func() (Verifier, error) { return k.PublicRSA().VerifyRaw(), nil }, message)
	}
}

// TestRecover: paddings that are not those of a signature.
func TestRecover(t *testing.T) {
	k := rsaFile(t)
	for _, padded := range []string{"0002", "0101", "0001fefefefefefefefefe00", "0001ffffffffffffff00", "0001ffffffffffffffff01", "0001"} {
		message := append(unhex(t, padded), bytes.Repeat([]byte{0xff}, 256-len(padded)/2)...)
		signature := need[[]byte](t)(k.raw.private(message))
		_, err := k.PublicRSA().RecoverPKCS1(signature)
		refused(t, padded, err, ErrSignature)
	}
	_, err := k.PublicRSA().RecoverPKCS1(make([]byte, 255))
	refused(t, "shorter", err, ErrSignatureLength)
}
