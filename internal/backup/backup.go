// SPDX-License-Identifier: Apache-2.0

// Package backup is the form of a file that holds the files of a token, as they were at one
// moment.
//
// A backup is a line that says so, a line of JSON that tells what is in it, the content of the files one after
// the other, and an HMAC-SHA256 over all that. The key comes from the token's secret, so that
// nobody who does not have it makes or changes a backup unnoticed. A later release reads what this one writes: the
// JSON has the number of the form.
package backup

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// The first line, and the number of this form.
const (
	magic  = "zk_pkcs11 backup\n"
	format = 1
)

// The errors of a backup. They come wrapped.
var (
	ErrNone    = errors.New("it is no backup of a token")
	ErrLater   = errors.New("the backup was made by a later release, which has to read it")
	ErrDamaged = errors.New("the backup is cut or damaged")
)

// File is one of the token's files.
type File struct {
	Name    string `json:"name"`
	Size    int    `json:"size"`
	Mode    uint32 `json:"mode"`
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	User    string `json:"user,omitempty"` // the names of these numbers, which older releases leave out
	Group   string `json:"group,omitempty"`
	Content []byte `json:"-"`
}

// Backup is the token.
type Backup struct {
	Format    int       `json:"format"`
	Made      time.Time `json:"made"`
	Label     string    `json:"label"`
	Serial    string    `json:"serial"` // of its SCM
	Directory File      `json:"directory"`
	Files     []File    `json:"files"`

	authenticated, code []byte
}

// New is an empty backup of this form.
func New(label, serial string) *Backup {
	return &Backup{Format: format, Made: time.Now().UTC().Truncate(time.Second), Label: label, Serial: serial}
}

// Encode returns the bytes of a backup.
func (b *Backup) Encode(key []byte) ([]byte, error) {
	for i := range b.Files {
		b.Files[i].Size = len(b.Files[i].Content)
	}
	header, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	out := append([]byte(magic), header...)
	out = append(out, '\n')
	for _, f := range b.Files {
		out = append(out, f.Content...)
	}
	return append(out, code(key, out)...), nil
}

func code(key, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return h.Sum(nil)
}

// most bounds what is read.
const most = 4 << 30

// Read reads a backup, which nobody may believe before it is Authentic.
func Read(r io.Reader) (*Backup, error) {
	all, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	rest, is := bytes.CutPrefix(all, []byte(magic))
	if !is {
		return nil, ErrNone
	}
	header, rest, whole := bytes.Cut(rest, []byte("\n"))
	b := &Backup{}
	if err := json.Unmarshal(header, b); err != nil || !whole {
		return nil, ErrDamaged
	}
	if b.Format != format {
		return nil, fmt.Errorf("%w (its form is %d)", ErrLater, b.Format)
	}
	for i := range b.Files {
		f := &b.Files[i]
		if f.Size < 0 || f.Size > len(rest) {
			return nil, ErrDamaged
		}
		f.Content, rest = rest[:f.Size], rest[f.Size:]
	}
	if len(rest) != sha256.Size {
		return nil, ErrDamaged
	}
	b.authenticated, b.code = all[:len(all)-sha256.Size], rest
	return b, nil
}

// Authentic reports whether the one who made the backup had this key.
func (b *Backup) Authentic(key []byte) bool { return hmac.Equal(b.code, code(key, b.authenticated)) }

// File returns one of the files, nil if it is not in the backup.
func (b *Backup) File(name string) *File {
	for i := range b.Files {
		if b.Files[i].Name == name {
			return &b.Files[i]
		}
	}
	return nil
}
