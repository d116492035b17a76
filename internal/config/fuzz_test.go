// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"testing"
)

// FuzzInherited: whatever is decoded of what a process hands down is encoded as the same.
func FuzzInherited(f *testing.F) {
	f.Add(Source{File: "/f", State: "/s", Text: everything, Variables: map[string]string{"ZK_PKCS11_LOG": "info"}}.Encode())
	f.Add("")
	f.Add("\x00\x00=")
	f.Fuzz(func(t *testing.T, encoded string) {
		s := decodeSource(encoded)
		if again := decodeSource(s.Encode()); !reflect.DeepEqual(again, s) {
			t.Errorf("%q is %+v, and then %+v", encoded, s, again)
		}
	})
}
