// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrRefused is the error of a name below a directory that somebody else may have put
// there. It comes wrapped; use errors.Is.
var ErrRefused = errors.New("nothing is read from it or written to it: put the file itself in its place, from a backup perhaps, or remove it")

// Directory is an open directory whose files are opened by their names in it. Others may
// write into it, and root may be the one who opens: so no name leads out of it. What is opened is a
// regular file with one name, of root, of the directory's owner or of this process, or of
// the group that shares the directory.
type Directory struct {
	file  *File
	root  identity // of the root that its name begins at
	owner uint32
	group int // that may write into it, or -1
}

// OpenDirectory opens a directory, which may be reached by symbolic links: those are the
// administrator's.
func OpenDirectory(name string) (*Directory, error) {
	file, err := Open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	stat, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	root, err := identityAt("/")
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	d := &Directory{file: file, root: root, owner: stat.Uid, group: -1}
	if stat.Mode&unix.S_IWGRP != 0 {
		d.group = int(stat.Gid)
	}
	return d, nil
}

// Name returns the name that the directory was opened by.
func (d *Directory) Name() string { return d.file.Name() }

// Path returns the path of a file in it, for messages.
func (d *Directory) Path(name string) string { return filepath.Join(d.file.Name(), name) }

// Close closes the directory. Closing it again, or a nil one, does nothing.
func (d *Directory) Close() error {
	if d == nil {
		return nil
	}
	return d.file.Close()
}

// Open opens a file with the flags of os.OpenFile, but os.O_TRUNC, which would cut what is
// refused. It waits for nobody, such as the other end of a pipe.
func (d *Directory) Open(name string, flags int, mode fs.FileMode) (*File, error) {
	const never = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	plugs := plugStandard()
	fd := -1
	err := d.do("open", name, func(dir int) (err error) {
		fd, err = unix.Openat(dir, name, flags&^os.O_TRUNC|never, uint32(mode.Perm()))
		return err
	})
	plugs.close()
	if err != nil {
		return nil, d.explain(name, err)
	}
	f, err := New(d.Path(name), fd)
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err == nil {
		err = d.acceptable(name, &stat)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// explain says what a name is that cannot be opened because it is no regular file.
func (d *Directory) explain(name string, err error) error {
	if !errors.Is(err, unix.ELOOP) && !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.ENXIO) {
		return err
	}
	stat, failed := d.Stat(name)
	if failed != nil {
		return err
	}
	if refused := d.acceptable(name, &stat); refused != nil {
		return refused
	}
	return err
}

// Check returns ErrRefused for a name that Open refuses. A name that is not there is none.
func (d *Directory) Check(name string) error {
	stat, err := d.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.acceptable(name, &stat)
}

// kinds are what a name may be instead of a regular file.
var kinds = map[uint32]string{
	unix.S_IFLNK: "a symbolic link", unix.S_IFDIR: "a directory", unix.S_IFIFO: "a pipe",
	unix.S_IFSOCK: "a socket", unix.S_IFCHR: "a device", unix.S_IFBLK: "a device",
}

func (d *Directory) acceptable(name string, stat *unix.Stat_t) error {
	switch kind := uint32(stat.Mode & unix.S_IFMT); {
	case kind != unix.S_IFREG:
		return d.refuse(name, "is "+kinds[kind])
	case stat.Nlink > 1:
		return d.refuse(name, "has another name (a hard link)")
	case !d.trusts(stat):
		return d.refuse(name, fmt.Sprintf("belongs to another user (uid %d)", stat.Uid))
	}
	return nil
}

// trusts reports whether the owner of a file may put files into the directory anyway.
func (d *Directory) trusts(stat *unix.Stat_t) bool {
	return stat.Uid == 0 || stat.Uid == d.owner || int(stat.Uid) == os.Geteuid() || int(stat.Gid) == d.group
}

func (d *Directory) refuse(name, why string) error {
	return fmt.Errorf("%s %s: %w", d.Path(name), why, ErrRefused)
}

// Stat looks at a name, and not at what a symbolic link leads to.
func (d *Directory) Stat(name string) (stat unix.Stat_t, err error) {
	err = d.do("stat", name, func(dir int) error { return unix.Fstatat(dir, name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
	return stat, err
}

// Exists reports whether there is something of that name, or cannot be seen.
func (d *Directory) Exists(name string) bool {
	_, err := d.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// Leads reports whether a name in the directory leads to the file. A process that has
// changed its user and may not look any more learns only whether the file has a name at all.
func (d *Directory) Leads(name string, f *File) (bool, error) {
	stat, err := d.Stat(name)
	switch {
	case err == nil:
		return identityIn(&stat) == f.is, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		stat, err = f.Stat()
		return stat.Nlink > 0, err
	}
	return false, err
}

// Remove removes a name.
func (d *Directory) Remove(name string) error {
	return d.do("remove", name, func(dir int) error { return unix.Unlinkat(dir, name, 0) })
}

// Rename gives a file another name, in place of what has that.
func (d *Directory) Rename(from, to string) error {
	return d.do("rename", from, func(dir int) error { return unix.Renameat(dir, from, dir, to) })
}

// Sync has the names of the directory on stable storage.
func (d *Directory) Sync() error {
	return d.do("sync", ".", func(dir int) error {
		fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		f, err := New(d.Name(), fd)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// do calls a function with the directory's descriptor; errors name the file.
func (d *Directory) do(op, name string, call func(dir int) error) error {
	fd, err := d.file.take()
	if err == nil {
		defer d.file.release()
		_, err = retry(func() (int, error) { return 0, call(fd) })
	}
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: d.Path(name), Err: err}
}
