// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
)

// Replacement is a directory that is about to take the place of the state directory of a slot, all
// of it at once. Processes that use the token go on with the new one when they look next, and nothing that
// they have open or mapped is written to or cut.
type Replacement struct {
	settings config.Config // with the new directory for the state of the slot
	slot     int
	state    string // the directory whose place it takes
	dir      string
	root     *os.Root         // the directory, open from its making on: root writes below it, whatever its name leads to
	there    bool             // the state directory is
	owners   map[string]Owner // of the files that were written, which they get at last
	others   Owner            // who gets what belongs to nobody of this system
	told     []string
	done     bool
}

// What is beside a state directory, named by it: one that is being made, or what a restore that was killed has left,
// and one whose place another has taken.
const (
	suffixNew = ".new-"
	suffixOld = ".old-"
)

// timeOld tells the second ones from each other.
const timeOld = "20060102T150405.000Z"

var (
	leftNew = regexp.MustCompile(`^\.new-[0-9]+$`)
	leftOld = regexp.MustCompile(`^\.old-[0-9]{8}T[0-9]{6}\.[0-9]{3}Z$`)
)

// NewReplacement makes the directory, beside the one whose place it is to take.
func NewReplacement(c config.Config, slot int) (*Replacement, error) {
	r := &Replacement{settings: c, slot: slot, state: c.Slots[slot].State, owners: map[string]Owner{}}
	if real, err := filepath.EvalSymlinks(r.state); err == nil {
		r.state, r.there = real, true
	}
	a, err := opener{settings: c, slot: c.Slots[slot]}.access()
	if err != nil {
		return nil, err
	}
	if r.others, err = r.othersOf(a); err != nil {
		return nil, err
	}
	if err := r.finishEarlier(); err != nil {
		return nil, err
	}
	parent, base := filepath.Split(r.state)
	if err := makeParents(filepath.Clean(parent), a.parents); err != nil {
		return nil, err
	}
	if r.dir, err = os.MkdirTemp(parent, base+suffixNew); err != nil {
		return nil, r.noPlace(err)
	}
	if err := r.hold(a); err != nil {
		return nil, errors.Join(err, r.Discard())
	}
	r.settings.Slots = slices.Clone(c.Slots)
	r.settings.Slots[slot].State = r.dir
	return r, nil
}

// othersOf returns who gets what belongs to nobody of this system: those who have the token that is there, else this user and
// the group of the settings.
func (r *Replacement) othersOf(a access) (Owner, error) {
	if r.there {
		return OwnerOf(r.state)
	}
	o := Owner{UID: os.Geteuid(), GID: os.Getegid()}
	if a.group >= 0 {
		o.GID = a.group
	}
	return o, nil
}

// hold opens the directory that was made just now. It has its group, by which it is known what is shared in it, and is its owner's
// alone until Swap: members who could write there while a PIN is asked for would have root give them what they have put there.
func (r *Replacement) hold(a access) (err error) {
	if r.root, err = OpenDirectory(r.dir); err != nil || a.group < 0 {
		return err
	}
	return GiveBelow(r.root, ".", -1, a.group, 0o700|fs.ModeSetgid)
}

// noPlace says why there is no new directory. It takes a user who may write where the state directory is, who need not be its owner.
func (r *Replacement) noPlace(err error) error {
	const why = "the new state is made beside the one that is there, and both change places"
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: %w", why, err)
	}
	parent, as := filepath.Dir(r.state), "root (sudo)"
	if o, err := OwnerOf(parent); err == nil && o.UID != 0 && o.User != "" {
		as = o.User
	}
	return fmt.Errorf("%s: this user may not write %s; run the command as %s", why, parent, as)
}

// Settings are those by which the token in the new directory is opened.
func (r *Replacement) Settings() config.Config { return r.settings }

// Directory is the new directory.
func (r *Replacement) Directory() string { return r.dir }

// TokenFiles are the names of the files that are a token and its soft SCM.
func TokenFiles() []string {
	return []string{store.DatabaseFile, store.CountsFile, soft.FlashFile, soft.RootKeyFile}
}

// Write makes one of them, or writes it anew. It belongs to this process until Swap: nothing opens a file of another user in a
// directory that is not that user's.
func (r *Replacement) Write(name string, content []byte, o Owner) error {
	if !slices.Contains(TokenFiles(), name) {
		return fmt.Errorf("%q is no file of a token", name)
	}
	if err := r.Remove(name); err != nil {
		return err
	}
	f, err := r.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	r.owners[name] = r.settle(o)
	return errors.Join(err, f.Sync(), f.Close())
}

// Remove removes one of them, if it is there.
func (r *Replacement) Remove(name string) error {
	err := r.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// settle has an owner be one of this system. Files of a user that is not root stay that user's.
func (r *Replacement) settle(o Owner) Owner {
	if os.Geteuid() != 0 {
		return o
	}
	o, told := o.local(r.others)
	for _, line := range told {
		if !slices.Contains(r.told, line) {
			r.told = append(r.told, line)
		}
	}
	return o
}

// Told is what is to be known of owners that are not those of the backup.
func (r *Replacement) Told() []string { return r.told }

// Swap has the new directory take the place of the state directory, which belongs to owner from then on. It returns where
// the old one is now, "" when there was none or nothing in it. Everything in the new one is closed before.
func (r *Replacement) Swap(owner Owner) (old string, err error) {
	if err := r.adoptAll(r.settle(owner)); err != nil {
		return "", err
	}
	if r.there {
		return r.exchange()
	}
	if err := unix.Renameat2(unix.AT_FDCWD, r.dir, unix.AT_FDCWD, r.state, unix.RENAME_NOREPLACE); err != nil {
		return "", fmt.Errorf("the new state does not get the name %s: %w", r.state, err)
	}
	r.done = true
	return "", errors.Join(leadsTo(r.state, r.root), syncParent(r.state))
}

// exchange is Swap where there is a state directory.
func (r *Replacement) exchange() (old string, err error) {
	before, err := OpenDirectory(r.state)
	if err != nil {
		return "", err
	}
	defer before.Close()
	err = unix.Renameat2(unix.AT_FDCWD, r.dir, unix.AT_FDCWD, r.state, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return "", fmt.Errorf("this file system exchanges no directories: close the programs that use the token, move %s away, and restore again", r.state)
	}
	if err != nil {
		return "", fmt.Errorf("the new state and the one that is there do not change places: %w", err)
	}
	r.done = true
	if err := leadsTo(r.state, r.root); err != nil {
		return "", err
	}
	old = fmt.Sprintf("%s%s%s", r.state, suffixOld, time.Now().UTC().Format(timeOld))
	if err := r.takeOthers(before); err != nil {
		return "", fmt.Errorf("what was there before is in %s: %w", r.dir, err)
	}
	if os.Remove(r.dir) == nil { // which only an empty one is: its token was deleted
		return "", syncParent(r.state)
	}
	return old, errors.Join(os.Rename(r.dir, old), syncParent(r.state))
}

// adoptAll gives the files to their owners, and what was made on the way, such as logs and locks, to that of the token's database.
// The directory is given away last: it lets others in.
func (r *Replacement) adoptAll(owner Owner) error {
	names, err := namesIn(r.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		of, written := r.owners[name]
		if !written {
			of = r.owners[store.DatabaseFile]
		}
		if err := of.apply(r.root, name); err != nil {
			return err
		}
	}
	return errors.Join(owner.apply(r.root, "."), leadsTo(r.dir, r.root))
}

// takeOthers moves what is no file of the token or its soft SCM from the old directory to the new one: the states of other slots
// that are below it, what is known of an SCM in hardware, and what is somebody else's.
func (r *Replacement) takeOthers(before *os.Root) error {
	names, err := others(before)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := move(name, before, r.root, 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// others are the names in a directory that are of no file of a token or its soft SCM.
func others(root *os.Root) ([]string, error) {
	names, err := namesIn(root)
	return slices.DeleteFunc(names, isOfToken), err
}

func isOfToken(name string) bool {
	return strings.HasPrefix(name, "token.") || strings.HasPrefix(name, soft.FlashFile) || strings.HasPrefix(name, soft.RootKeyFile)
}

// finishEarlier does what a restore had still to do that was killed after the exchange: it takes from what is beside the
// state directory what is missing there.
func (r *Replacement) finishEarlier() error {
	left, err := r.beside(leftNew)
	if err != nil || !r.there || len(left) == 0 {
		return err
	}
	state, err := OpenDirectory(r.state)
	if err != nil {
		return err
	}
	defer state.Close()
	for _, dir := range left {
		if err := takeMissing(dir, state); err != nil {
			return err
		}
	}
	return nil
}

// takeMissing is finishEarlier for one directory.
func takeMissing(dir string, state *os.Root) error {
	from, err := OpenDirectory(dir)
	if err != nil {
		return err
	}
	defer from.Close()
	names, err := others(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := move(name, from, state, unix.RENAME_NOREPLACE); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
	}
	return nil
}

// Left are the directories beside the state directory that restores have left, this one's too once it has taken its place.
func (r *Replacement) Left() ([]string, error) {
	before, err := r.beside(leftOld)
	if err != nil {
		return nil, err
	}
	killed, err := r.beside(leftNew)
	return append(before, killed...), err
}

// beside are the directories whose names are that of the state directory and something of a form.
func (r *Replacement) beside(form *regexp.Regexp) (found []string, err error) {
	parent, base := filepath.Split(r.state)
	entries, err := os.ReadDir(filepath.Clean(parent))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if rest, is := strings.CutPrefix(e.Name(), base); is && e.IsDir() && form.MatchString(rest) {
			found = append(found, filepath.Join(parent, e.Name()))
		}
	}
	return found, nil
}

// Discard removes what did not take a place, and ends the use of what did.
func (r *Replacement) Discard() error {
	if r.root == nil {
		return os.Remove(r.dir)
	}
	defer r.root.Close()
	if r.done {
		return nil
	}
	names, err := namesIn(r.root)
	for _, name := range names {
		err = errors.Join(err, r.root.RemoveAll(name))
	}
	return errors.Join(err, os.Remove(r.dir))
}
