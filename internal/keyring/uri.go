// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"fmt"
	"net/url"
	"strings"
)

// URI names an object of a token (RFC 7512).
type URI struct {
	Token     string
	Serial    string
	Object    string
	ID        []byte
	Type      string // "private", "public", "cert" or "secret-key"
	HasObject bool
	HasID     bool
}

// Scheme is how a URI of PKCS #11 begins.
const Scheme = "pkcs11:"

// String writes the URI, of which programs other than this one read every part.
func (u URI) String() string {
	var parts []string
	if u.Token != "" {
		parts = append(parts, "token="+escapeText(u.Token))
	}
	if u.Serial != "" {
		parts = append(parts, "serial="+escapeText(u.Serial))
	}
	if u.HasObject {
		parts = append(parts, "object="+escapeText(u.Object))
	}
	if u.HasID {
		parts = append(parts, "id="+escapeBytes(u.ID))
	}
	if u.Type != "" {
		parts = append(parts, "type="+u.Type)
	}
	return Scheme + strings.Join(parts, ";")
}

// TokenURI names a token by its label, or while it has none by its serial number.
func TokenURI(label, serial string) URI {
	if label == "" {
		return URI{Serial: serial}
	}
	return URI{Token: label}
}

// Within names something on the token that the URI names: by its id, or by its label if it has no id.
func (u URI) Within(label string, id []byte, kind string) string {
	u.ID, u.HasID, u.Type = id, len(id) > 0, kind
	u.Object, u.HasObject = label, !u.HasID
	return u.String()
}

// escapeText leaves letters, digits and what no shell and no configuration file takes for its own.
func escapeText(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func escapeBytes(id []byte) string {
	var b strings.Builder
	for _, c := range id {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// ParseURI reads a URI. What it says about the module, and the query with a PIN, is for programs that load one.
func ParseURI(text string) (URI, error) {
	path, is := strings.CutPrefix(text, Scheme)
	if !is {
		return URI{}, fmt.Errorf("%q is no URI of PKCS #11, which begins with %s", text, Scheme)
	}
	path, _, _ = strings.Cut(path, "?")
	var u URI
	for part := range strings.SplitSeq(path, ";") {
		name, escaped, _ := strings.Cut(part, "=")
		value, err := url.PathUnescape(escaped)
		if err != nil {
			return URI{}, fmt.Errorf("%q: %q has a %% without two hexadecimal digits", text, part)
		}
		if err := u.set(name, value); err != nil {
			return URI{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	return u, nil
}

func (u *URI) set(name, value string) error {
	switch name {
	case "token":
		u.Token = value
	case "serial":
		u.Serial = value
	case "object":
		u.Object, u.HasObject = value, true
	case "id":
		u.ID, u.HasID = []byte(value), true
	case "type":
		u.Type = value
	case "", "model", "manufacturer", "library-manufacturer", "library-description", "library-version", "slot-id", "slot-description", "slot-manufacturer",
		"pin-source", "pin-value", "module-path", "module-name":
	default:
		return fmt.Errorf("a URI of PKCS #11 has no %q", name)
	}
	return nil
}
