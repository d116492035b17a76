// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Words are numbers at the beginning of a file, in the byte order of the machine,
// that processes share by mapping it.
type Words [1024]atomic.Uint64

// WordsSize is how many bytes of the file they take.
const WordsSize = int64(8 * len(Words{}))

// MapWords maps them. Of a file that is shorter than WordsSize those can be used
// that it holds; the others fault.
func (f *File) MapWords(protection int) (words *Words, unmap func(), err error) {
	err = f.do("map", func(fd int) error {
		mapped, err := unix.MmapPtr(fd, 0, nil, uintptr(WordsSize), protection, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		// A mapping has no type: of all the library's memory outside of the C
		// boundary this alone gets one afterwards.
		words, unmap = (*Words)(mapped), func() { _ = unix.MunmapPtr(mapped, uintptr(WordsSize)) }
		return nil
	})
	return words, unmap, err
}
