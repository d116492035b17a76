// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"testing"
)

// FuzzParseURI: what is read is written so that it is read as the same.
func FuzzParseURI(f *testing.F) {
	for _, text := range []string{"pkcs11:", "pkcs11:token=web;id=%00%01;type=private?pin-source=x", "pkcs11:object=a%20b;serial=1;model=x", "pkcs11:id", "pkcs11:token=%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			return
		}
		again, err := ParseURI(u.String())
		if err != nil || again.Token != u.Token || again.Object != u.Object || !bytes.Equal(again.ID, u.ID) || again.HasID != u.HasID {
			t.Errorf("%q is %+v, and %+v when it is written and read (%v)", text, u, again, err)
		}
	})
}
