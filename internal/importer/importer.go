// SPDX-License-Identifier: Apache-2.0

// Package importer reads keys, certificates and data that other programs have made: files in
// PEM, PKCS #12 and the forms of OpenSSH, token directories of SoftHSM2, and other PKCS #11
// modules. It makes templates for C_CreateObject of them and writes nothing.
//
// What it reads may be damaged, or made to do harm: programs run it in a process of its own,
// for as long as they want to wait.
package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"libzk_pkcs11/pkcs11"
)

// Object is what can be brought over, or could not be.
type Object struct {
	Template []pkcs11.Attribute // for C_CreateObject, without CKA_TOKEN
	Label    string
	Why      string // there is no template; empty for one that can be brought over
	Note     string // what of it is left behind
	Spare    bool   // nobody misses it: Why says what has it already
}

// value is that of an attribute, nil where there is none.
func (o *Object) value(kind uint) []byte {
	for _, a := range o.Template {
		if a.Type == kind {
			return a.Value
		}
	}
	return nil
}

// The errors of sources. They come wrapped.
var (
	ErrPassword = errors.New("the password is wrong")
	ErrNeeded   = errors.New("it is protected by a password")
	ErrPIN      = errors.New("the PIN of the token that is read is wrong")
	ErrWhich    = errors.New("name one by --token")
	ErrDamaged  = errors.New("is cut or damaged")
	ErrNothing  = errors.New("there is nothing to bring over")
)

// Source says what to read.
type Source struct {
	Kind     string // pem, pkcs12, ssh, softhsm or module
	Path     string // of the file, the directory or the module
	Token    string // label of the token, where there are several
	Label    string // of the objects, where the source has none for them
	Password []byte // of the file, or PIN of the token; nil when none was given
}

// The kinds of sources.
const (
	PEM     = "pem"
	PKCS12  = "pkcs12"
	SSH     = "ssh"
	SoftHSM = "softhsm"
	Module  = "module"
)

// Read returns what a source has.
func Read(s Source) ([]Object, error) {
	objects, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%s: %w", s.Path, ErrNothing)
	}
	return objects, nil
}

func (s Source) read() ([]Object, error) {
	if err := s.wrongPlace(); err != nil {
		return nil, err
	}
	switch s.Kind {
	case SoftHSM:
		return readSoftHSM(s)
	case Module:
		return readModule(s)
	}
	return readFile(s)
}

// largestFile bounds what is read of a file.
const largestFile = 16 << 20

func readFile(s Source) ([]Object, error) {
	b, err := readBounded(s.Path)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	if err := s.wrongForm(b); err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // which some editors put before text
	switch s.Kind {
	case PEM:
		return readPEM(b, s)
	case PKCS12:
		return readPKCS12(b, s)
	case SSH:
		return readSSH(b, s)
	}
	return nil, fmt.Errorf("%q is no kind of source", s.Kind)
}

// readBounded reads a file.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if len(b) > largestFile {
		return nil, fmt.Errorf("it is larger than %d MiB", largestFile>>20)
	}
	return b, nil
}

// ulong is a CK_ULONG as an attribute has it.
func ulong(n uint) []byte { return pkcs11.EncodeULong(n) }

func attribute(kind uint, value []byte) pkcs11.Attribute {
	return pkcs11.Attribute{Type: kind, Value: value}
}
