// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
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

// newName is where a root key is written before it takes its place. One name is
// enough, because only the holder of the flash's lock writes.
const newName = rootFileName + ".new"

// exists reports whether there is the file, or what a crash in write has left.
func (f rootFile) exists() bool {
	dir, err := descriptor.OpenDirectory(f.dir)
	if err != nil {
		return false
	}
	defer dir.Close()
	return dir.Exists(rootFileName) || dir.Exists(newName)
}

// write makes the file anew, durably, in place of an old one. The caller holds
// the flash's lock.
func (f rootFile) write(r *root) error {
	dir, err := descriptor.OpenDirectory(f.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := f.writeNew(dir, r); err != nil {
		return err
	}
	if err := dir.Rename(newName, rootFileName); err != nil {
		return err
	}
	return dir.Sync()
}

// writeNew writes the file that is to take the other one's place.
func (f rootFile) writeNew(dir *descriptor.Directory, r *root) error {
	if err := dir.Remove(newName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := dir.Open(newName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = f.writeKey(file, r)
	return errors.Join(err, file.Close())
}

func (f rootFile) writeKey(file *descriptor.File, r *root) error {
	if f.group >= 0 {
		if err := file.Chgrp(f.group); err != nil {
			return err
		}
	}
	// Only the owner replaces the root key, whatever others may do with it.
	if err := file.Chmod(f.mode &^ 0o022); err != nil {
		return err
	}
	key, err := r.holdKey()
	if err != nil {
		return err
	}
	defer r.mu.RUnlock()
	if _, err := file.Write(key); err != nil {
		return err
	}
	return file.Sync()
}

// read returns the root key with the given identity from the file.
func (f rootFile) read(id []byte) (*root, error) {
	dir, err := descriptor.OpenDirectory(f.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	defer dir.Close()
	file, err := dir.Open(rootFileName, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.lost(sharedfile.ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	defer file.Close()
	r := emptyRoot(id)
	// Straight into protected memory: os.ReadFile would leave a copy behind.
	if _, err := io.ReadFull(file, r.key.Bytes()); err != nil {
		r.destroy()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = f.lost(sharedfile.ErrMissing)
		}
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return r, nil
}

// check returns an error for a root key by which nothing in the flash opens: what is sealed
// under it would be lost with it.
func (f rootFile) check(r *root, secrets map[string][]byte) error {
	for name, blob := range secrets {
		secret, err := r.unseal(secretContext(name), blob, keySize)
		clear(secret)
		if err != nil {
			return f.lost(sharedfile.ErrCorrupt)
		}
		return nil
	}
	return nil
}

// lost says what to do without the root key of the flash.
func (f rootFile) lost(how error) error {
	return fmt.Errorf("%w: %s: %w, and flash.db cannot be opened without it: put it back", scm.ErrDevice, f.path(), how)
}

// remove overwrites and removes the file, and what a crash in write has left.
func (f rootFile) remove() error {
	dir, err := descriptor.OpenDirectory(f.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return errors.Join(erase(dir, rootFileName), erase(dir, newName), dir.Sync())
}

// erase overwrites and removes a root key file, if it is there.
func erase(dir *descriptor.Directory, name string) error {
	// A file that cannot be overwritten may still be removed.
	if file, err := dir.Open(name, os.O_WRONLY, 0); err == nil {
		_, _ = file.Write(make([]byte, keySize))
		_ = file.Sync()
		_ = file.Close()
	}
	err := dir.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
