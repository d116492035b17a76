// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"testing"
)

// twoCopies returns a file with older and newer counts.
func twoCopies() (older, newer counts, file []byte) {
	older = counts{sequence: 7, of: [2]count{{failures: 1}, {failures: 2, trying: true}}}
	newer = older
	newer.sequence++
	newer.settle()
	file = make([]byte, countsSize)
	for _, c := range []counts{older, newer} {
		copy(file[c.offset():], c.encode())
	}
	return older, newer, file
}

func TestNewerCopyCounts(t *testing.T) {
	_, newer, file := twoCopies()
	if got, ok := decodeCounts(file); !ok || got != newer {
		t.Errorf("%+v, %v, want %+v", got, ok, newer)
	}
	if newer.of[NormalUser].failures != 3 || newer.trying() {
		t.Errorf("an attempt of the dead counts: %+v", newer)
	}
}

// What is torn is not taken for counts, wherever it is.
func TestTornCopy(t *testing.T) {
	older, newer, file := twoCopies()
	for i := range 8 * copySize {
		torn := bytes.Clone(file)
		torn[newer.offset()+int64(i/8)] ^= 1 << (i % 8)
		if got, ok := decodeCounts(torn); !ok || got != older {
			t.Errorf("bit %d: %+v, %v, want %+v", i, got, ok, older)
		}
		torn[older.offset()+int64(i/8)] ^= 1 << (i % 8)
		if got, ok := decodeCounts(torn); ok {
			t.Errorf("bit %d of both: %+v", i, got)
		}
	}
}

func FuzzCounts(f *testing.F) {
	_, _, file := twoCopies()
	f.Add(file[:copySize])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != copySize {
			return
		}
		if c, ok := decodeCopy(b); ok && !bytes.Equal(c.encode(), b) {
			t.Errorf("%x decodes as %+v, which has another encoding", b, c)
		}
	})
}
