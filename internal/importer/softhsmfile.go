// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The files of a token.
const (
	softTokenFile = "token.object"
	softSuffix    = ".object"
)

// readFiles reads a token of the back end of files. Files with other names are nobody's objects.
func (t *softToken) readFiles() (err error) {
	if t.token, err = readSoftFile(filepath.Join(t.path, softTokenFile)); err != nil {
		return fmt.Errorf("%s: %w", softTokenFile, err)
	}
	entries, err := os.ReadDir(t.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), softSuffix) || e.Name() == softTokenFile {
			continue
		}
		o, err := readSoftFile(filepath.Join(t.path, e.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		t.objects = append(t.objects, o)
	}
	return nil
}

func readSoftFile(path string) (softObject, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	o, ok := parseSoftFile(b)
	if !ok {
		return nil, fmt.Errorf("the file %w%s", ErrDamaged, locked)
	}
	return o, nil
}

// parseSoftFile reads a file: a number that grows with each change, then attributes, each its type, the kind of its
// value, and that. Numbers have eight bytes, the first the most significant one. It reports whether the file is whole
// and has attributes.
func parseSoftFile(b []byte) (o softObject, ok bool) {
	r := softReader{b, true}
	r.number()
	o = softObject{}
	for r.ok && len(r.rest) > 0 {
		kind := r.number()
		o[kind] = r.value()
	}
	return o, r.ok && len(o) > 0
}

// softReader takes a file apart.
type softReader struct {
	rest []byte
	ok   bool
}

func (r *softReader) take(n uint64) []byte {
	if !r.ok || n > uint64(len(r.rest)) {
		r.ok = false
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *softReader) number() uint64 {
	if b := r.take(8); r.ok {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *softReader) value() value {
	v := value{kind: r.number()}
	switch v.kind {
	case kindTruth:
		if b := r.take(1); r.ok {
			v.truth = b[0] != 0
		}
	case kindNumber:
		v.number = r.number()
	case kindOctets, kindTemplate:
		v.octets = r.take(r.number())
	case kindMechanisms:
		for range r.room(r.number()) {
			v.octets = append(v.octets, ulong(uint(r.number()))...)
		}
	default:
		r.ok = false
	}
	return v
}

// room is n where there are as many numbers left.
func (r *softReader) room(n uint64) uint64 {
	if n > uint64(len(r.rest)/8) {
		r.ok = false
		return 0
	}
	return n
}
