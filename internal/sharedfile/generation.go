// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// The words of the counter's file. Those of the parts follow.
const (
	wordVersion = iota // the number that is committed
	wordWriter         // not 0 while a writer is at work, or has died
	wordAll            // the number at which all parts changed last
	wordParts
)

// generation is the counter of changes: words of 8 bytes in a file that every
// process maps. Only the holder of the exclusive lock writes them. A nil generation
// is constant. No descriptor stays open: the host could make it that of another file.
type generation struct {
	mapped   []byte
	parts    int
	writable bool
}

func generationSize(parts int) int { return 8 * (wordParts + parts) }

// openGeneration is called under the exclusive lock.
func openGeneration(path string, o Options) (*generation, error) {
	file, err := openOrCreate(path, o.Mode, o.Group)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := allocate(file, generationSize(o.Parts)); err != nil {
		return nil, err
	}
	g, err := mapGeneration(file, o.Parts, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return nil, err
	}
	g.writable = true
	return g, nil
}

// allocate makes the file long enough, and has its bytes on the disk: a write to
// memory cannot be told that the disk is full.
func allocate(file *descriptor.File, size int) error {
	stat, err := file.Stat()
	if err != nil || (stat.Size >= int64(size) && stat.Blocks > 0) {
		return err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(file, b[:min(int64(size), stat.Size)]); err != nil {
		return err
	}
	v := binary.NativeEndian.Uint64(b)
	binary.NativeEndian.PutUint64(b, v+v&1) // of version 0.1.0, whose writer died
	_, err = file.WriteAt(b, 0)
	return err
}

// openGenerationReadOnly returns nil when there is no counter to read.
func openGenerationReadOnly(path string, parts int) *generation {
	file, err := descriptor.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || stat.Size < int64(generationSize(parts)) {
		return nil
	}
	g, err := mapGeneration(file, parts, unix.PROT_READ)
	if err != nil {
		return nil
	}
	return g
}

// mapGeneration leaves the unmapping to the garbage collector, so that load
// needs no lock against close.
func mapGeneration(file *descriptor.File, parts, protection int) (*generation, error) {
	mapped, err := file.Map(generationSize(parts), protection)
	if err != nil {
		return nil, err
	}
	g := &generation{mapped: mapped, parts: parts}
	runtime.AddCleanup(g, func(m []byte) { _ = unix.Munmap(m) }, mapped)
	return g, nil
}

func (g *generation) load(word int) uint64 {
	if g == nil {
		return 0
	}
	v := binary.NativeEndian.Uint64(g.mapped[8*word:])
	runtime.KeepAlive(g)
	return v
}

func (g *generation) version() uint64 { return g.load(wordVersion) }

func (g *generation) unsettled() bool { return g.load(wordWriter) != 0 }

func (g *generation) partVersion(part int) uint64 {
	if g == nil {
		return 0
	}
	return max(g.load(wordAll), g.load(wordParts+part))
}

// begin marks that a writer is at work. It settles what a dead one has left.
func (g *generation) begin() error {
	if g.unsettled() {
		g.settle()
	}
	return g.store(wordWriter, 1)
}

// end takes the mark away. A change that nothing came of has no number.
func (g *generation) end(changed bool, parts []int, all bool) {
	if changed {
		next := g.version() + 2
		if all {
			_ = g.store(wordAll, next)
		}
		for _, part := range parts {
			_ = g.store(wordParts+part, next)
		}
		_ = g.store(wordVersion, next)
	}
	_ = g.store(wordWriter, 0)
}

// settle is end for a writer that died.
func (g *generation) settle() {
	if g.writable {
		g.end(true, nil, true)
	}
}

// store fails when the file has become too short, or the disk too full to write to it.
func (g *generation) store(word int, v uint64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the counter of changes cannot be written: %v", fault)
		}
	}()
	binary.NativeEndian.PutUint64(g.mapped[8*word:], v)
	runtime.KeepAlive(g)
	return nil
}
