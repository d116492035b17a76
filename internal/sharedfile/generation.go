// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

const generationSize = 8

// generation is the counter of changes: a number of 8 bytes in a file that
// every process maps. It is odd from before a change until after it, and only
// the holder of the exclusive lock writes it. A nil generation is constant. No
// descriptor stays open: the host could make it that of another file.
type generation struct {
	mapped   []byte
	writable bool
	handed   atomic.Uint64 // how many numbers unique has handed out
}

// openGeneration is called under the exclusive lock.
func openGeneration(path string, mode fs.FileMode, group int) (*generation, error) {
	file, err := openOrCreate(path, mode, group)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := allocate(file); err != nil {
		return nil, err
	}
	g, err := mapGeneration(file, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return nil, err
	}
	g.writable = true
	return g, nil
}

// allocate makes the file long enough, and has its bytes on the disk: a write to
// memory cannot be told that the disk is full.
func allocate(file *descriptor.File) error {
	stat, err := file.Stat()
	if err != nil || (stat.Size >= generationSize && stat.Blocks > 0) {
		return err
	}
	var b [generationSize]byte // of a file that is too short: it is new, or its maker died
	if stat.Size >= generationSize {
		if _, err := io.ReadFull(file, b[:]); err != nil {
			return err
		}
	}
	_, err = file.WriteAt(b[:], 0)
	return err
}

// openGenerationReadOnly returns nil when there is no counter to read.
func openGenerationReadOnly(path string) *generation {
	file, err := descriptor.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || stat.Size < generationSize {
		return nil
	}
	g, err := mapGeneration(file, unix.PROT_READ)
	if err != nil {
		return nil
	}
	return g
}

// mapGeneration leaves the unmapping to the garbage collector, so that load
// needs no lock against close.
func mapGeneration(file *descriptor.File, protection int) (*generation, error) {
	mapped, err := file.Map(generationSize, protection)
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
	if v := g.load(); !settled(v) && g.writable {
		_ = g.store(v + 1)
	}
	return g.load()
}

// store fails when the file has become too short, or the disk too full to write to it.
func (g *generation) store(v uint64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the counter of changes cannot be written: %v", fault)
		}
	}()
	binary.NativeEndian.PutUint64(g.mapped, v)
	runtime.KeepAlive(g)
	return nil
}

// passing marks the numbers of unique.
const passing = 1 << 63

// unique returns a number that neither it nor load ever returned.
func (g *generation) unique() uint64 { return passing | g.handed.Add(1) }

// Passing tells whether a number of Version is one of those that it returns in
// the middle of a change.
func Passing(version uint64) bool { return version&passing != 0 }
