// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bytes"
	"errors"
	"testing"
)

var key = []byte("a key of any length")

func sample(t *testing.T) []byte {
	t.Helper()
	b := New("label", "serial")
	b.Directory = File{Mode: 0o700, UID: 1, GID: 2}
	b.Files = []File{{Name: "a", Mode: 0o600, UID: 3, GID: 4, Content: []byte("first\n")}, {Name: "b"}, {Name: "c", Content: []byte{0, 1, 2}}}
	out, err := b.Encode(key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBackup(t *testing.T) {
	b, err := Read(bytes.NewReader(sample(t)))
	if err != nil {
		t.Fatal(err)
	}
	if b.Label != "label" || b.Serial != "serial" || b.Directory.Mode != 0o700 || len(b.Files) != 3 || b.Files[0].GID != 4 ||
		string(b.Files[0].Content) != "first\n" || len(b.Files[1].Content) != 0 || len(b.Files[2].Content) != 3 {
		t.Errorf("%+v", b)
	}
	if !b.Authentic(key) || b.Authentic(key[1:]) {
		t.Error("it is authentic with another key, or not with its own")
	}
}

// TestOfOlderRelease: a backup that has numbers of users and groups only is read, and authentic.
func TestOfOlderRelease(t *testing.T) {
	header := `{"format":1,"made":"2026-01-02T03:04:05Z","label":"l","serial":"s","directory":{"name":"","size":0,"mode":448,"uid":1,"gid":2},` +
		`"files":[{"name":"a","size":3,"mode":384,"uid":3,"gid":4}]}`
	whole := []byte(magic + header + "\nabc")
	b, err := Read(bytes.NewReader(append(whole, code(key, whole)...)))
	if err != nil || !b.Authentic(key) || b.Directory.GID != 2 || b.Directory.Group != "" || b.Files[0].UID != 3 || b.Files[0].User != "" {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestChanged: whatever is cut, added or changed is noticed.
func TestChanged(t *testing.T) {
	whole := sample(t)
	for n := range whole {
		changed := bytes.Clone(whole)
		changed[n] ^= 1
		if b, err := Read(bytes.NewReader(changed)); err == nil && b.Authentic(key) {
			t.Errorf("byte %d was changed", n)
		}
		if b, err := Read(bytes.NewReader(whole[:n])); err == nil && b.Authentic(key) {
			t.Errorf("it was cut to %d bytes", n)
		}
	}
	if _, err := Read(bytes.NewReader(append(whole, 0))); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: %v", err)
	}
	if _, err := Read(bytes.NewReader([]byte("something else"))); !errors.Is(err, ErrNone) {
		t.Errorf("something else: %v", err)
	}
	later := bytes.Replace(whole, []byte(`"format":1`), []byte(`"format":2`), 1)
	if _, err := Read(bytes.NewReader(later)); !errors.Is(err, ErrLater) {
		t.Errorf("of a later release: %v", err)
	}
}

// FuzzRead: no file does harm.
func FuzzRead(f *testing.F) {
	f.Add([]byte(magic + `{"format":1,"files":[{"name":"a","size":-1}]}` + "\n"))
	f.Add([]byte(magic + `{"format":1,"files":[{"name":"a","size":9223372036854775807}]}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Read(bytes.NewReader(b)) })
}
