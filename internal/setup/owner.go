// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Owner is who a file belongs to, and who may do what with it. The names are those of the system that it was on, "" where that had
// none, or a backup tells none.
type Owner struct {
	Mode        fs.FileMode
	UID, GID    int
	User, Group string
}

// OwnerOf tells it of a directory, or of what a link leads to.
func OwnerOf(path string) (Owner, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Owner{}, err
	}
	return ownerIn(info), nil
}

// ReadFile reads a file of a token in a directory where others may change names, and tells whose it is. Root would read for them what
// a link leads to, so that none is followed.
func ReadFile(path string) ([]byte, Owner, error) {
	f, owner, err := openOwn(path)
	if err != nil {
		return nil, owner, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	return content, owner, err
}

// OwnerOfFile is ReadFile without the content.
func OwnerOfFile(path string) (Owner, error) {
	f, owner, err := openOwn(path)
	if err != nil {
		return owner, err
	}
	return owner, f.Close()
}

func openOwn(path string) (*os.File, Owner, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, Owner{}, IsLink(path)
	}
	if err != nil {
		return nil, Owner{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return nil, Owner{}, errors.Join(err, f.Close())
	}
	return f, ownerIn(info), nil
}

func ownerIn(info fs.FileInfo) Owner {
	stat := info.Sys().(*syscall.Stat_t)
	uid, gid := int(stat.Uid), int(stat.Gid)
	return Owner{info.Mode() & (fs.ModePerm | fs.ModeSetgid), uid, gid, userNameOf(uid), groupNameOf(gid)}
}

func userNameOf(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return ""
}

func groupNameOf(gid int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return ""
}

func userID(name string) (int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Uid)
}

// apply gives a file in a directory that is open to its owner, as far as this user can.
func (o Owner) apply(root *os.Root, name string) error {
	err := GiveBelow(root, name, o.UID, o.GID, o.Mode)
	if err == nil || os.Geteuid() == 0 {
		return err
	}
	if GiveBelow(root, name, -1, o.GID, o.Mode) == nil { // a group that this user is in
		return nil
	}
	return GiveBelow(root, name, -1, -1, o.Mode)
}

// local returns the owner as this system has it, and what is to be told of that: numbers of users and groups are other ones on
// another machine. What has no place here goes to the user and the group of others.
func (o Owner) local(others Owner) (Owner, []string) {
	var told []string
	uid, said := identity{"user", o.User, o.UID, userID, userNameOf}.here(others.UID)
	told = append(told, said...)
	gid, said := identity{"group", o.Group, o.GID, groupID, groupNameOf}.here(others.GID)
	o.UID, o.GID = uid, gid
	return o, append(told, said...)
}

// identity is a user or a group of another system, perhaps.
type identity struct {
	kind, name string
	number     int
	numberOf   func(name string) (int, error)
	nameOf     func(number int) string
}

// here returns the number that it has here, by its name if it can. A number that is somebody else's here is not taken, nor one of
// a backup without names that anybody has here but other: that one would get the keys.
func (i identity) here(other int) (number int, told []string) {
	if i.name != "" {
		if n, err := i.numberOf(i.name); err == nil {
			return n, nil
		}
	}
	taken := i.nameOf(i.number)
	switch {
	case i.number == 0 || i.number == other: // root has its number everywhere
		return i.number, nil
	case i.name == "" && taken == "":
		return i.number, []string{fmt.Sprintf("what was restored is that of the %s %d, which has no name in the backup and none here", i.kind, i.number)}
	case i.name == "":
		return other, []string{fmt.Sprintf("the backup has the %[1]s %[2]d without a name, and here that is %[3]s, which does not get the keys: what was restored is that of the %[1]s %[4]s",
			i.kind, i.number, taken, i.orNumber(other))}
	case taken == "":
		return i.number, []string{fmt.Sprintf("there is no %s %s here: what was restored has its number in the backup, %d, which has no name here", i.kind, i.name, i.number)}
	}
	return other, []string{fmt.Sprintf("there is no %s %s here, and its number in the backup, %d, is that of %s, which does not get the keys: what was restored is that of the %s %s",
		i.kind, i.name, i.number, taken, i.kind, i.orNumber(other))}
}

// orNumber is a name, or the number where there is none.
func (i identity) orNumber(number int) string {
	if name := i.nameOf(number); name != "" {
		return name
	}
	return strconv.Itoa(number)
}
