// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"libzk_pkcs11/internal/softkey"
	"libzk_pkcs11/pkcs11"
)

// A token of SoftHSM2 is a directory. With the back end of files it has the file token.object and one more for
// each object; with that of SQLite it has sqlite3.db. What a PIN protects is sealed with a key that the PIN opens: all
// attributes of private objects that are strings of bytes.

// Attributes of the token itself.
const (
	softLabel   = pkcs11.CKA_VENDOR_DEFINED + 0x5349
	softUserPIN = pkcs11.CKA_VENDOR_DEFINED + 0x534D
)

// value is what SoftHSM2 keeps of an attribute: exactly one of these.
type value struct {
	kind   uint64
	truth  bool
	number uint64
	octets []byte
}

// The kinds of values, as the files have them.
const (
	kindTruth      = 1
	kindNumber     = 2
	kindOctets     = 3
	kindTemplate   = 4
	kindMechanisms = 5
)

type softObject map[uint64]value

func (o softObject) class() uint { return uint(o[uint64(pkcs11.CKA_CLASS)].number) }

// softToken is a token as it is on the disk.
type softToken struct {
	path    string
	token   softObject
	objects []softObject
}

func (t *softToken) label() string { return strings.TrimRight(string(t.token[softLabel].octets), " ") }

// locked is told of a directory in which nothing is as SoftHSM2 writes it.
const locked = "; objects of the vendor's module zkpkcs11 are locked by the SCM, and only that module reads them: import --from its library"

func readSoftHSM(s Source) ([]Object, error) {
	t, err := findSoftToken(s.Path, s.Token)
	if err != nil {
		return nil, err
	}
	pin := t.token[softUserPIN].octets
	if len(pin) == 0 {
		return nil, errors.New("the token has no user PIN, and so no private objects: it was never used")
	}
	key, err := openSoftKey(pin, s.Password)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	var all []Object
	for _, o := range t.objects {
		if o[uint64(pkcs11.CKA_PRIVATE)].truth {
			if err := o.open(key); err != nil {
				return nil, err
			}
		}
		all = append(all, o.object())
	}
	return all, nil
}

// findSoftToken finds the token with a label, or the only one, in a directory of tokens; or the one whose directory it is.
func findSoftToken(path, label string) (*softToken, error) {
	if isSoftToken(path) {
		return openOnlyToken(path, label)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	var found []*softToken
	var labels []string
	for _, e := range entries {
		below := filepath.Join(path, e.Name())
		if !isSoftToken(below) {
			continue
		}
		t, err := openSoftToken(below)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		labels = append(labels, fmt.Sprintf("%q", t.label()))
		if label == "" || t.label() == label {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case label != "" && len(found) > 1:
		return nil, &FormError{fmt.Sprintf("a directory with %d tokens of the label %q", len(found), label), fmt.Sprintf("name one by its directory, such as %s", found[0].path)}
	case len(labels) == 0:
		return nil, errors.New("there is no token of SoftHSM2: it is a directory with token.object or sqlite3.db in it, as /var/lib/softhsm/tokens has them")
	}
	return nil, fmt.Errorf("%sthere are the tokens %s: %w", noSuchToken(label), strings.Join(labels, ", "), ErrWhich)
}

// noSuchToken says before a list of tokens that none has the label which was given.
func noSuchToken(label string) string {
	if label == "" {
		return ""
	}
	return fmt.Sprintf("there is no token %q; ", label)
}

// openOnlyToken opens the token whose directory is named, which has the label if one is given.
func openOnlyToken(path, label string) (*softToken, error) {
	t, err := openSoftToken(path)
	if err == nil && label != "" && t.label() != label {
		return nil, fmt.Errorf("%sthe directory is that of the token %q: %w", noSuchToken(label), t.label(), ErrWhich)
	}
	return t, err
}

func isSoftToken(path string) bool {
	for _, name := range []string{softTokenFile, softDatabase} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return true
		}
	}
	return false
}

func openSoftToken(path string) (*softToken, error) {
	t := &softToken{path: path}
	if _, err := os.Stat(filepath.Join(path, softDatabase)); err == nil {
		return t, t.readDatabase()
	}
	return t, t.readFiles()
}

// open undoes the sealing of a private object.
func (o softObject) open(key []byte) error {
	for kind, v := range o {
		if v.kind != kindOctets || len(v.octets) == 0 {
			continue
		}
		plain, err := openSoftValue(key, v.octets)
		if err != nil {
			return fmt.Errorf("an object %w: its attribute 0x%x does not open%s", ErrDamaged, kind, locked)
		}
		o[kind] = value{kind: kindOctets, octets: plain}
	}
	return nil
}

// object is the object as C_CreateObject takes it. SoftHSM2 calls keys of X25519 keys of Edwards curves, which they are not.
func (o softObject) object() Object {
	curve, err := softkey.ParseParams(o[uint64(pkcs11.CKA_EC_PARAMS)].octets)
	if err == nil && curve == softkey.X25519 {
		o[uint64(pkcs11.CKA_KEY_TYPE)] = value{kind: kindNumber, number: uint64(pkcs11.CKK_EC_MONTGOMERY)}
	}
	return newObject(o.class(), func(kind uint) []byte { return o[uint64(kind)].encode() })
}

// encode is the value as an attribute has it, nil where there is none.
func (v value) encode() []byte {
	switch v.kind {
	case kindTruth:
		if v.truth {
			return []byte{1}
		}
		return []byte{0}
	case kindNumber:
		return ulong(uint(v.number))
	case kindOctets:
		return v.octets
	case kindMechanisms:
		return v.octets
	}
	return nil
}
