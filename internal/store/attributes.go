// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

var errEncoding = errors.New("attributes are badly encoded")

// attributeHeader is the size of what stands before each value: its type, 8
// bytes, and its length, 4 bytes, both big-endian.
const attributeHeader = 12

// encodeAttributes writes the attributes in ascending order of type, so that
// equal attributes have equal encodings.
func encodeAttributes(attributes map[uint64][]byte) []byte {
	size := 0
	for _, value := range attributes {
		size += attributeHeader + len(value)
	}
	b := make([]byte, 0, size)
	for _, kind := range slices.Sorted(maps.Keys(attributes)) {
		b = binary.BigEndian.AppendUint64(b, kind)
		b = binary.BigEndian.AppendUint32(b, uint32(len(attributes[kind])))
		b = append(b, attributes[kind]...)
	}
	return b
}

// decodeAttributes takes only what encodeAttributes makes. The values are parts of b.
func decodeAttributes(b []byte) (map[uint64][]byte, error) {
	attributes := map[uint64][]byte{}
	for last := uint64(0); len(b) > 0; {
		if len(b) < attributeHeader {
			return nil, errEncoding
		}
		kind, size := binary.BigEndian.Uint64(b), uint64(binary.BigEndian.Uint32(b[8:]))
		b = b[attributeHeader:]
		if size > uint64(len(b)) || (len(attributes) > 0 && kind <= last) {
			return nil, errEncoding
		}
		attributes[kind] = b[:size:size]
		b, last = b[size:], kind
	}
	return attributes, nil
}
