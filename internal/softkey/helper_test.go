// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// sentinels are all errors that may come out of this package.
var sentinels = []error{
	ErrKey, ErrKeySize, ErrParameter, ErrLength, ErrData, ErrSignature, ErrSignatureLength, ErrUnsupported,
	ErrExhausted, ErrEnded,
}

// typedError reports whether an error is one of the sentinels.
func typedError(err error) bool {
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// need returns a value, or ends the test.
func need[T any](t testing.TB) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// wanted compares what came out with what it has to be.
func wanted(t testing.TB, what string, got []byte, err error, want []byte) {
	t.Helper()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %x, %v; want %x", what, got, err, want)
	}
}

// refused wants an error of one kind.
func refused(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// begun is what begins the same operation again and again.
type begun func() (Stream, error)

// both does a message in one part, and in parts of n bytes, and wants the same of both.
func (b begun) both(t testing.TB, message []byte, n int) ([]byte, error) {
	t.Helper()
	s, err := b()
	if err != nil {
		return nil, err
	}
	size := s.WholeSize(len(message))
	whole, wholeErr := s.Whole(nil, message)
	if wholeErr == nil && len(whole) > size {
		t.Errorf("%d bytes of %d, of at most %d told", len(whole), len(message), size)
	}
	if _, err := s.Update(nil, []byte{1}); err != ErrEnded {
		t.Errorf("a part after the end: %v", err)
	}
	s = need[Stream](t)(b())
	parts, err := inParts(t, s, message, n)
	if (err == nil) != (wholeErr == nil) || !bytes.Equal(whole, parts) {
		t.Errorf("in one part %x, %v; in parts of %d %x, %v", whole, wholeErr, n, parts, err)
	}
	return whole, wholeErr
}

func inParts(t testing.TB, s Stream, message []byte, n int) (out []byte, err error) {
	t.Helper()
	for len(message) > 0 {
		part := message[:min(n, len(message))]
		message = message[len(part):]
		size, before := s.UpdateSize(len(part)), len(out)
		if out, err = s.Update(out, part); err != nil {
			return nil, err
		}
		if len(out)-before != size {
			t.Errorf("%d bytes of a part of %d, %d told", len(out)-before, len(part), size)
		}
	}
	size, before := s.FinalSize(), len(out)
	out, err = s.Final(out)
	if err == nil && len(out)-before > size {
		t.Errorf("%d bytes at the end, %d told", len(out)-before, size)
	}
	if _, err := s.Final(nil); err != ErrEnded {
		t.Errorf("a second end: %v", err)
	}
	return out, err
}

// signed makes a signature of a message in two parts.
func signed(t testing.TB, s Signer, err error, message []byte) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	half := len(message) / 2
	if err := errors.Join(s.Update(message[:half]), s.Update(message[half:])); err != nil {
		t.Fatal(err)
	}
	signature, err := s.Sign(nil)
	if err != nil || len(signature) != s.Size() {
		t.Fatalf("signature of %d bytes, %v; %d told", len(signature), err, s.Size())
	}
	if _, err := s.Sign(nil); err != ErrEnded {
		t.Errorf("a second signature: %v", err)
	}
	return signature
}

// verified checks a signature of a message in two parts.
func verified(v Verifier, err error, message, signature []byte) error {
	if err != nil {
		return err
	}
	half := len(message) / 3
	if err := v.Update(message[:half]); err != nil {
		return err
	}
	if err := v.Update(message[half:]); err != nil {
		return err
	}
	return v.Verify(signature)
}

// rsaFile is the same key for all tests: a new one takes long.
func rsaFile(t testing.TB) *RSA {
	t.Helper()
	der, err := os.ReadFile("testdata/rsa2048.der")
	if err != nil {
		t.Fatal(err)
	}
	return need[PrivateKey](t)(ReopenPrivate(der)).(*RSA)
}

// changes calls f with b once for each byte, of which one bit is another.
func changes(b []byte, f func(i int, changed []byte)) {
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1 << (i % 8)
		f(i, changed)
	}
}
