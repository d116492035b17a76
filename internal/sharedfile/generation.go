// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const generationSize = 8

// generation is the counter of changes: a number of 8 bytes in a file that
// every process maps. It is odd from before a change until after it, and only
// the holder of the exclusive lock writes it. A nil generation is constant.
type generation struct {
	file   *os.File // nil where the counter may only be read
	mapped []byte
	handed atomic.Uint64 // how many numbers unique has handed out
}

// openGeneration is called under the exclusive lock.
func openGeneration(path string, mode fs.FileMode, group int) (*generation, error) {
	file, err := openOrCreate(path, mode, group)
	if err != nil {
		return nil, err
	}
	g, err := fillAndMap(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

func fillAndMap(file *os.File) (*generation, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < generationSize { // new, or its maker died
		if err := file.Truncate(generationSize); err != nil {
			return nil, err
		}
	}
	g, err := mapGeneration(file)
	if err != nil {
		return nil, err
	}
	g.file = file
	return g, nil
}

// openGenerationReadOnly returns nil when there is no counter to read.
func openGenerationReadOnly(path string) *generation {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() < generationSize {
		return nil
	}
	g, err := mapGeneration(file)
	if err != nil {
		return nil
	}
	return g
}

// mapGeneration leaves the unmapping to the garbage collector, so that load
// needs no lock against close.
func mapGeneration(file *os.File) (*generation, error) {
	mapped, err := unix.Mmap(int(file.Fd()), 0, generationSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	g := &generation{mapped: mapped}
	runtime.AddCleanup(g, func(m []byte) { _ = unix.Munmap(m) }, mapped)
	return g, nil
}

func settled(v uint64) bool { return v&1 == 0 }

func (g *generation) load() uint64 {
	if g == nil {
		return 0
	}
	v := binary.NativeEndian.Uint64(g.mapped)
	runtime.KeepAlive(g)
	return v
}

// unsettle makes the counter odd. A counter that a dead writer left odd becomes
// another odd number.
func (g *generation) unsettle() error { return g.store((g.load() + 1) | 1) }

// settle makes the counter even, with a number that it never had, and returns
// it. A counter that cannot be written stays as it is. Should the write fail,
// the counter stays odd, and the next reader settles it.
func (g *generation) settle() uint64 {
	if v := g.load(); !settled(v) && g.file != nil {
		_ = g.store(v + 1)
	}
	return g.load()
}

func (g *generation) store(v uint64) error {
	var b [generationSize]byte
	binary.NativeEndian.PutUint64(b[:], v)
	_, err := g.file.WriteAt(b[:], 0)
	return err
}

// passing marks the numbers of unique.
const passing = 1 << 63

// unique returns a number that neither it nor load ever returned.
func (g *generation) unique() uint64 { return passing | g.handed.Add(1) }

// Passing tells whether a number of Version is one of those that it returns in
// the middle of a change.
func Passing(version uint64) bool { return version&passing != 0 }

func (g *generation) close() {
	if g != nil && g.file != nil {
		g.file.Close()
	}
}
