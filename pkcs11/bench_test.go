// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// A slow result of one of these names the layer: the caller's buffer, the
// catalog, the operation, the index.

func BenchmarkOutput(b *testing.B) {
	out, _ := buffer(64)
	signature := make([]byte, 64)
	for b.Loop() {
		*out.Length = 64
		if err := out.writeResult(signature); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetAttributeValue(b *testing.B) {
	f := newPublic(b)
	key := f.public(0)
	length := uint(100)
	query := []Query{{Type: CKA_EC_POINT, Buffer: make([]byte, 100), Length: &length}}
	for b.Loop() {
		length = 100
		f.ok(f.GetAttributeValue(f.h, key, query))
	}
}

// idle is a device that signs in no time.
type idle struct{ scm.Device }

func (idle) Sign(scm.Slot, []byte) ([]byte, error) { return make([]byte, 64), nil }

func BenchmarkSign(b *testing.B) {
	f := newUser(b)
	key := f.private(0)
	f.token().device = idle{f.device}
	out, _ := buffer(64)
	m := &Mechanism{Type: CKM_ECDSA}
	for b.Loop() {
		*out.Length = 64
		f.ok(f.SignInit(f.h, m, key))
		f.ok(f.Sign(f.h, digest32, out))
	}
}

func BenchmarkSignParallel(b *testing.B) {
	f := newUser(b)
	key := f.private(0)
	f.token().device = idle{f.device}
	b.RunParallel(func(pb *testing.PB) {
		h, out := f.session(0), room(64)
		for pb.Next() {
			*out.Length = 64
			f.ok(f.SignInit(h, &Mechanism{Type: CKM_ECDSA}, key))
			f.ok(f.Sign(h, digest32, out))
		}
	})
}

// BenchmarkFind looks for one object by its ID among many. More of them should
// not make it slower.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newPublic(b)
			for i := range n {
				_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE, CKC_X_509,
					CKA_SUBJECT, "", CKA_VALUE, "x", CKA_ID, fmt.Appendf(nil, "%08d", i)))
				f.ok(err)
			}
			wanted, found := is(CKA_ID, fmt.Sprintf("%08d", n/2)), make([]uint, 10)
			for b.Loop() {
				f.ok(f.FindObjectsInit(f.h, wanted))
				if got, err := f.FindObjects(f.h, found); err != nil || got != 1 {
					b.Fatalf("found %d, %v", got, err)
				}
				f.ok(f.FindObjectsFinal(f.h))
			}
		})
	}
}
