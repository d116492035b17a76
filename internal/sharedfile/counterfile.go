// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// openGeneration is called under the exclusive lock.
func openGeneration(dir *descriptor.Directory, name string, o Options) (*generation, error) {
	file, err := openOrCreate(dir, name, o)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := allocate(file); err != nil {
		return nil, err
	}
	return mapGeneration(file, unix.PROT_READ|unix.PROT_WRITE)
}

// allocate makes the file long enough, and has its bytes on the disk: a write to
// memory cannot be told that the disk is full. What is there stays, such as the 8
// bytes of version 0.1.0.
func allocate(file *descriptor.File) error {
	stat, err := file.Stat()
	if err != nil || isWhole(&stat) {
		return err
	}
	there := make([]byte, descriptor.WordsSize)
	if n := min(stat.Size, descriptor.WordsSize); n > 0 {
		if _, err := file.ReadAt(there[:n], 0); err != nil {
			return err
		}
	}
	_, err = file.WriteAt(there, 0)
	return err
}

// isWhole reports whether a counter's file has all its bytes, on the disk.
func isWhole(stat *unix.Stat_t) bool {
	const sector = 512 // of Blocks, whatever the file system
	return stat.Size >= descriptor.WordsSize && stat.Blocks*sector >= descriptor.WordsSize
}

// openExisting returns nil for a counter that has to be made or made longer. It
// needs no lock.
func openExisting(dir *descriptor.Directory, name string) (*generation, error) {
	return openWhen(dir, name, os.O_RDWR, unix.PROT_READ|unix.PROT_WRITE, isWhole)
}

// openGenerationReadOnly returns nil when there is no counter to read, also for this user,
// unless there was one before. One of version 0.1.0 has fewer words.
func openGenerationReadOnly(dir *descriptor.Directory, name string, before *opened) (*generation, error) {
	g, err := openWhen(dir, name, os.O_RDONLY, unix.PROT_READ, hasVersion)
	if errors.Is(err, fs.ErrPermission) && (before == nil || before.gen == nil) {
		return nil, nil
	}
	return g, err
}

// hasVersion reports whether a counter's file has the version at least.
func hasVersion(stat *unix.Stat_t) bool { return stat.Size >= 8 }

func openWhen(dir *descriptor.Directory, name string, flags, protection int, fits func(*unix.Stat_t) bool) (*generation, error) {
	file, err := dir.Open(name, flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || !fits(&stat) {
		return nil, err
	}
	return mapGeneration(file, protection)
}

// mapGeneration leaves the unmapping to the garbage collector, so that load
// needs no lock against close.
func mapGeneration(file *descriptor.File, protection int) (*generation, error) {
	mapped, err := file.MapWords(protection)
	if err != nil {
		return nil, err
	}
	g := &generation{words: (*words)(mapped.Words()), mapping: mapped, writable: protection&unix.PROT_WRITE != 0}
	runtime.AddCleanup(g, (*descriptor.Mapping).Unmap, mapped)
	return g, nil
}

// detach lets the file go. A thread that reads the counter then, or has just begun to, finds zeros.
func (g *generation) detach() {
	if g != nil {
		g.cut.Store(true)
		g.mapping.Detach()
		runtime.KeepAlive(g)
	}
}
