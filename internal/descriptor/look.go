// SPDX-License-Identifier: Apache-2.0

package descriptor

import "golang.org/x/sys/unix"

// Identity is which file it is, by the numbers of its device and of its inode.
func (f *File) Identity() (device, inode uint64) { return f.is.device, f.is.inode }

// Same reports whether two descriptors are, or were, of one file.
func (f *File) Same(other *File) bool { return f.is == other.is }

// Is reports whether this is what somebody has seen of the file.
func (f *File) Is(stat *unix.Stat_t) bool { return identityIn(stat) == f.is }

// Look looks at several names, as [Directory.Stat] does at one, and calls see with each
// until that returns an error.
func (d *Directory) Look(names []string, see func(i int, stat *unix.Stat_t, err error) error) error {
	fd, err := d.file.take()
	if err != nil {
		return d.file.failed("stat", err)
	}
	defer d.file.release()
	for i, name := range names {
		var stat unix.Stat_t
		err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		if err := see(i, &stat, err); err != nil {
			return err
		}
	}
	return nil
}
