// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"fmt"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// Choice is how somebody names a key or a certificate.
type Choice struct {
	Label    string
	ID       []byte
	HasLabel bool
	HasID    bool
}

// Choice is what a URI says of the object.
func (u URI) Choice() Choice {
	return Choice{Label: u.Object, ID: u.ID, HasLabel: u.HasObject, HasID: u.HasID}
}

// IsEmpty reports whether nothing is named.
func (c Choice) IsEmpty() bool { return !c.HasLabel && !c.HasID }

// Fits reports whether something is called so.
func (c Choice) Fits(label string, id []byte) bool {
	return (!c.HasLabel || c.Label == label) && (!c.HasID || bytes.Equal(c.ID, id))
}

// String says what is named, for messages.
func (c Choice) String() string {
	var parts []string
	if c.HasLabel {
		parts = append(parts, fmt.Sprintf("the label %q", c.Label))
	}
	if c.HasID {
		parts = append(parts, fmt.Sprintf("the id %x", c.ID))
	}
	return strings.Join(parts, " and ")
}

// Key returns the only key that is named so.
func (c Choice) Key(keys []*Key) (*Key, error) {
	var found []*Key
	for _, k := range keys {
		if c.Fits(k.Label, k.ID) {
			found = append(found, k)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("no key has %v; \"key list\" shows those that there are", c)
	}
	return nil, c.several(found)
}

// several lists the keys among which to choose.
func (c Choice) several(found []*Key) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d keys have %v:", len(found), c)
	for _, k := range found {
		fmt.Fprintf(&b, "\n  --id %x  %s, %s, %q", k.ID, k.Type, k.Place(), k.Label)
	}
	b.WriteString("\nname one of them by --id")
	return fmt.Errorf("%s", b.String())
}

// Template is what gives a key this name.
func (c Choice) Template() []pkcs11.Attribute {
	var list []pkcs11.Attribute
	if c.HasLabel {
		list = append(list, Bytes(pkcs11.CKA_LABEL, c.Label))
	}
	if c.HasID {
		list = append(list, Bytes(pkcs11.CKA_ID, c.ID))
	}
	return list
}
