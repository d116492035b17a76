// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"fmt"
	"strconv"
	"strings"
)

// Top is the address of the topmost node.
const Top = "m"

// ChildAddress returns the address of a child: m/3'/1 and 2' make m/3'/1/2'.
func ChildAddress(parent string, index uint32) string {
	if index >= Hardened {
		return fmt.Sprintf("%s/%d'", parent, index-Hardened)
	}
	return fmt.Sprintf("%s/%d", parent, index)
}

// ParseAddress returns the indices that lead from the topmost node to an address
// such as m/3'/1'/0/28. ErrKey when it is none.
func ParseAddress(address string) ([]uint32, error) {
	parts := strings.Split(address, "/")
	if parts[0] != Top {
		return nil, fmt.Errorf("node address %q does not begin with m, as m/44h/0h does: %w", address, ErrKey)
	}
	indices := make([]uint32, 0, len(parts)-1)
	for _, part := range parts[1:] {
		digits, hardened := strings.CutSuffix(part, "'")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("node address %q: %q is no index: %w", address, part, ErrKey)
		}
		index := uint32(n)
		if hardened {
			index |= Hardened
		}
		indices = append(indices, index)
	}
	return indices, nil
}

// Canonical returns an address in the form that ChildAddress makes.
func Canonical(address string) (string, error) {
	indices, err := ParseAddress(address)
	if err != nil {
		return "", err
	}
	address = Top
	for _, index := range indices {
		address = ChildAddress(address, index)
	}
	return address, nil
}
