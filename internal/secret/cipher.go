// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"reflect"
)

// Overhead is how much longer sealed data are.
const Overhead = 12 + 16

// Seal encrypts plain by AES-GCM with a random nonce, which stands in front, and
// authenticates it and what goes with it. It leaves no copy of the key, which has the
// length of one of AES.
func Seal(key, plain, with []byte) []byte {
	sealed := make([]byte, 0, len(plain)+Overhead)
	withAEAD(key, func(aead cipher.AEAD) { sealed = aead.Seal(sealed, nil, plain, with) })
	return sealed
}

// Open undoes Seal into plain, which has the exact length. It fails in the same way
// whether the key, the sealed data or what goes with it is another.
func Open(key, plain, sealed, with []byte) (err error) {
	if len(sealed) != len(plain)+Overhead {
		return fmt.Errorf("sealed data of %d bytes", len(sealed))
	}
	withAEAD(key, func(aead cipher.AEAD) { _, err = aead.Open(plain[:0], nil, sealed, with) })
	return err
}

// withAEAD calls f with a cipher, of which it overwrites every copy of the key afterwards.
func withAEAD(key []byte, f func(cipher.AEAD)) {
	WithAES(key, func(block cipher.Block) {
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic("secret: " + err.Error()) // of another cipher than AES
		}
		defer eraseGCM(aead)
		f(aead)
	})
}

// WithAES calls f with a block cipher, of which it overwrites every copy of the key
// afterwards. Modes that f makes of it have copies, which are for f to Erase.
func WithAES(key []byte, f func(cipher.Block)) {
	within(func() {
		block, err := aes.NewCipher(key)
		if err != nil {
			panic("secret: " + err.Error()) // of the length of the key
		}
		defer Erase(block)
		f(block)
	})
}

// eraseGCM overwrites what the library of the standard has made of the key. Where a later
// one keeps it elsewhere the tests fail, and nobody's data.
func eraseGCM(aead cipher.AEAD) {
	if inner := field(aead, "GCM"); inner.IsValid() && inner.Kind() == reflect.Pointer {
		inner.Elem().SetZero()
	}
}

// Erase overwrites what x, a pointer to a structure, points to, such as a cipher of the
// standard library.
func Erase(x any) { reflect.ValueOf(x).Elem().SetZero() }

// EraseField overwrites the bytes that a field of x, a pointer to a structure, holds, if it has
// one of that name.
func EraseField(x any, name string) {
	if f := field(x, name); f.IsValid() && f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Uint8 {
		clear(f.Bytes())
	}
}

// field returns a field of a structure, or of what a pointer points to.
func field(x any, name string) reflect.Value {
	v := reflect.Indirect(reflect.ValueOf(x))
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}
