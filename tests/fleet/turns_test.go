// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTurns: the first turn begins at once, and each later one when the one before it ends, no matter who has asked.
func TestTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "turns")
	var end time.Duration
	for i := range 5 {
		turns, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		wait, err := takeTurn(turns, time.Hour)
		if err != nil || (wait == 0) != (i == 0) {
			t.Errorf("turn %d begins in %v, %v", i, wait, err)
		}
		var written [8]byte
		if _, err := turns.ReadAt(written[:], 0); err != nil {
			t.Fatal(err)
		}
		now := time.Duration(binary.BigEndian.Uint64(written[:]))
		if i > 0 && now != end+time.Hour {
			t.Errorf("turn %d ends %v after the one before it", i, now-end)
		}
		end = now
		if err := turns.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatTakesTurns: signatures do, and neither questions for their size nor other functions.
func TestWhatTakesTurns(t *testing.T) {
	sign := []byte{0, 0, 0, callSign, 0, 0, 0, 3, 'u', 'a', 'y'}
	room, noRoom := []byte{0, 0, 0, 64}, []byte{0, 0, 0, 0}
	for _, tt := range []struct {
		name          string
		options, body []byte
		want          bool
	}{
		{"a signature", nil, append(bytes.Clone(sign), room...), true},
		{"one with options", []byte{1, 2, 3, 4, 5}, append(bytes.Clone(sign), room...), true},
		{"its size", nil, append(bytes.Clone(sign), noRoom...), false},
		{"its beginning", nil, append([]byte{0, 0, 0, callSign - 1, 0, 0, 0, 1, 'u'}, room...), false},
		{"less than a call", nil, []byte{0, 0, 0, callSign}, false},
	} {
		whole := message(1, uint32(len(tt.options)), uint32(len(tt.body)), append(bytes.Clone(tt.options), tt.body...)...)[1:] // without the version
		read, err := readMessage(bytes.NewReader(append(bytes.Clone(whole), "the next"...)))
		if err != nil || !bytes.Equal(read, whole) {
			t.Errorf("%s is read as %x, %v", tt.name, read, err)
		}
		if isSignature(whole) != tt.want {
			t.Errorf("%s takes a turn: %v", tt.name, !tt.want)
		}
		if _, err := readMessage(bytes.NewReader(whole[:len(whole)-1])); err != io.ErrUnexpectedEOF {
			t.Errorf("half of %s is read: %v", tt.name, err)
		}
	}
}
