// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Words are numbers at the beginning of a file, in the byte order of the machine,
// that processes share by mapping it.
type Words [1024]atomic.Uint64

// WordsSize is how many bytes of the file they take.
const WordsSize = int64(8 * len(Words{}))

// Mapping is where the words of a file are mapped.
type Mapping struct {
	words         *Words
	detach, unmap func()

	mu    sync.Mutex
	ended bool // it is somebody else's memory by now
}

// Words returns the words. Of a file that is shorter than WordsSize those can be used
// that it holds; the others fault.
func (m *Mapping) Words() *Words { return m.words }

// Detach lets the file go. Those who still use the words find zeros.
func (m *Mapping) Detach() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.ended {
		m.detach()
	}
}

// Unmap ends the mapping. Nobody may use the words any more.
func (m *Mapping) Unmap() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.ended {
		m.ended = true
		m.unmap()
	}
}

// MapWords maps the words of the file.
func (f *File) MapWords(protection int) (*Mapping, error) {
	fd, err := f.take()
	if err != nil {
		return nil, f.failed("map", err)
	}
	defer f.release()
	mapped, err := unix.MmapPtr(fd, 0, nil, uintptr(WordsSize), protection, unix.MAP_SHARED)
	if err != nil {
		return nil, f.failed("map", err)
	}
	// A mapping has no type: of all the library's memory outside of the C
	// boundary this alone gets one afterwards.
	m := &Mapping{words: (*Words)(mapped)}
	m.unmap = func() { _ = unix.MunmapPtr(mapped, uintptr(WordsSize)) }
	m.detach = func() {
		const over = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED
		_, _ = unix.MmapPtr(-1, 0, mapped, uintptr(WordsSize), protection, over)
	}
	return m, nil
}
