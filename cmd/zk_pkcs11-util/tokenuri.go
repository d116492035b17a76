// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// tokenURI returns the pkcs11: URI of a token (RFC 7512), to be pasted into the settings of programs.
func tokenURI(label, serial string) string {
	if label == "" {
		return "pkcs11:serial=" + uriValue(serial)
	}
	return "pkcs11:token=" + uriValue(label) + ";serial=" + uriValue(serial)
}

// uriValue returns a value with all bytes encoded that are not letters, digits, or marks that mean
// nothing anywhere, to a shell either.
func uriValue(value string) string {
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		if isPlain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isPlain reports whether a byte is among the unreserved characters of RFC 3986.
func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
