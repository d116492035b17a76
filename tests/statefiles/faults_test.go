// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// fault is what happens to a file; other is the same file of another token.
type fault struct {
	name  string
	do    func(r *rand.Rand, path, other string) error
	whole bool // nothing that was stored is damaged
}

var faults = []fault{
	{"emptied", func(_ *rand.Rand, path, _ string) error { return os.Truncate(path, 0) }, false},
	{"cut", func(r *rand.Rand, path, _ string) error { return os.Truncate(path, r.Int64N(1+size(path))) }, false},
	{"zeros", func(_ *rand.Rand, path, _ string) error {
		n := size(path)
		return errors.Join(os.Truncate(path, 0), os.Truncate(path, n))
	}, false},
	{"flipped bits", flip, false},
	{"exchanged in place", func(_ *rand.Rand, path, other string) error { return copyInto(path, other) }, false},
	{"exchanged", func(_ *rand.Rand, path, other string) error {
		return errors.Join(copyInto(path+".x", other), os.Rename(path+".x", path))
	}, false},
	{"deleted", func(_ *rand.Rand, path, _ string) error { return os.Remove(path) }, false},
	{"a directory", func(_ *rand.Rand, path, _ string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, false},
	{"a link", func(_ *rand.Rand, path, other string) error {
		return errors.Join(os.Rename(path, path+".away"), os.Symlink(path+".away", path))
	}, false},
	{"a pipe", func(_ *rand.Rand, path, _ string) error {
		return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600))
	}, false},
	{"put back", func(_ *rand.Rand, path, _ string) error {
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path+".x", b, 0o600), os.Rename(path+".x", path))
	}, true},
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func flip(r *rand.Rand, path, _ string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	for n := size(path); n > 0 && err == nil && r.IntN(8) != 0; {
		b, at := make([]byte, 1), r.Int64N(n)
		if _, err = file.ReadAt(b, at); err == nil {
			b[0] ^= 1 << r.IntN(8)
			_, err = file.WriteAt(b, at)
		}
	}
	return err
}

// copyInto overwrites a file, as cp does.
func copyInto(path, from string) error {
	b, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, os.WriteFile(path, b, 0o600))
}

// copyAll puts a directory of files in the place of another one's.
func copyAll(to, from string) error {
	entries, err := os.ReadDir(to)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return exec.Command("cp", "-a", from+"/.", to).Run()
}

// files are the names of the files of a state directory.
func files(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}
