// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"libzk_pkcs11/internal/scm"
)

// rootFile is the file that holds the root key while no secret seals it: the
// key's bytes and nothing else. It is there before the flash says that it is,
// and goes after the flash says that it is not, so that a crash never leaves a
// flash whose root key is lost.
type rootFile struct {
	dir   string
	mode  fs.FileMode
	group int // gid, -1 to leave it
}

const rootFileName = "root.key"

func (f rootFile) path() string { return filepath.Join(f.dir, rootFileName) }

// write makes the file anew, durably, in place of an old one.
func (f rootFile) write(r *root) error {
	tmp, err := os.CreateTemp(f.dir, rootFileName+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	err = r.use(func(key []byte) error { return f.fill(tmp, key) })
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), f.path()); err != nil {
		return err
	}
	return f.syncDir()
}

func (f rootFile) fill(tmp *os.File, key []byte) error {
	if f.group >= 0 {
		if err := tmp.Chown(-1, f.group); err != nil {
			return err
		}
	}
	// Only the owner replaces the root key, whoever else may use it.
	if err := tmp.Chmod(f.mode &^ 0o022); err != nil {
		return err
	}
	if _, err := tmp.Write(key); err != nil {
		return err
	}
	return tmp.Sync()
}

// read returns the root key with the given identity from the file.
func (f rootFile) read(id []byte) (*root, error) {
	file, err := os.Open(f.path())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	defer file.Close()
	r := emptyRoot(id)
	// Straight into protected memory: os.ReadFile would leave a copy behind.
	if _, err := io.ReadFull(file, r.key.Bytes()); err != nil {
		r.destroy()
		return nil, fmt.Errorf("%s: %w: %w", f.path(), scm.ErrDevice, err)
	}
	return r, nil
}

// remove overwrites and removes the file, if it is there.
func (f rootFile) remove() error {
	file, err := os.OpenFile(f.path(), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A file that this user may not overwrite may still be removed.
	if err == nil {
		_, err = file.Write(make([]byte, keySize))
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return err
		}
	}
	if err := os.Remove(f.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.syncDir()
}

func (f rootFile) syncDir() error {
	d, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
