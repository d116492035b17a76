// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"maps"
	"testing"
)

func TestAttributesRoundTrip(t *testing.T) {
	for _, attributes := range []map[uint64][]byte{
		{},
		{0: {}},
		{3: []byte("label"), 0x80000000 | 0x5A4B01: {1, 2, 3}, 1<<64 - 1: bytes.Repeat([]byte{7}, 70000)},
	} {
		got, err := decodeAttributes(encodeAttributes(attributes))
		if err != nil || !maps.EqualFunc(got, attributes, bytes.Equal) {
			t.Errorf("got %v, %v, want %v", got, err, attributes)
		}
	}
}

func TestBadAttributes(t *testing.T) {
	one := encodeAttributes(map[uint64][]byte{1: []byte("one")})
	two := encodeAttributes(map[uint64][]byte{2: []byte("two")})
	for name, b := range map[string][]byte{
		"header cut":  one[:5],
		"value cut":   one[:len(one)-1],
		"no value":    one[:attributeHeader],
		"type twice":  append(one[:len(one):len(one)], one...),
		"not sorted":  append(two[:len(two):len(two)], one...),
		"huge length": {0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0},
	} {
		if got, err := decodeAttributes(b); err == nil {
			t.Errorf("%s: decoded as %v", name, got)
		}
	}
}

// What can be decoded at all has one encoding.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeAttributes(map[uint64][]byte{0: {}, 3: []byte("label"), 1 << 63: {0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		attributes, err := decodeAttributes(b)
		if err == nil && !bytes.Equal(encodeAttributes(attributes), b) {
			t.Errorf("%x decodes as %v, which has another encoding", b, attributes)
		}
	})
}

func TestDerivationBounds(t *testing.T) {
	change := map[string]func(*derivation){
		"no passes":       func(d *derivation) { d.passes = 0 },
		"too many passes": func(d *derivation) { d.passes = 1000 },
		"too much memory": func(d *derivation) { d.memory = 1 << 31 },
		"no lanes":        func(d *derivation) { d.lanes = 0 },
		"no salt":         func(d *derivation) { d.salt = nil },
	}
	if d := newDerivation(); !d.valid() {
		t.Errorf("%+v is not valid", d)
	}
	for name, change := range change {
		d := newDerivation()
		if change(&d); d.valid() {
			t.Errorf("%s: %+v is valid", name, d)
		}
	}
}
