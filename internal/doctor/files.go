// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
)

// stateFiles are the files of a token and its SCM in a directory. A user who may not read it has been told.
func stateFiles(directory string) []entry {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil
	}
	defer root.Close()
	return stateFilesIn(root, directory)
}

// stateFilesIn are those in a directory that is open.
func stateFilesIn(root *os.Root, path string) (files []entry) {
	names, _ := fs.ReadDir(root.FS(), ".")
	for _, e := range names {
		name := e.Name()
		if !strings.HasPrefix(name, "token.") && !strings.HasPrefix(name, soft.FlashFile) && name != soft.RootKeyFile {
			continue
		}
		if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, newEntry(filepath.Join(path, name), info))
		}
	}
	return files
}

// lookAtFiles looks at whose the files in the state directory are, and which there are.
func (v *visit) lookAtFiles(l setup.Look) {
	info, err := os.Stat(v.state)
	if err != nil {
		return
	}
	files := stateFiles(v.state)
	v.checkReadable(files)
	if l.Group >= 0 {
		v.checkFilesOfGroup(files, l)
	} else {
		v.checkFilesOfOwner(files, newEntry(v.state, info))
	}
	v.checkOld()
}

// checkReadable looks whether others can read keys. A soft SCM that no PIN seals has its root key in a file.
func (v *visit) checkReadable(files []entry) {
	var open []string
	mend := closing{directory: v.state}
	for _, f := range files {
		if f.mode&0o007 != 0 {
			open, mend.files = append(open, f.path), append(mend.files, f)
		}
	}
	if open == nil {
		return
	}
	v.tell(Finding{
		Name: "state-readable", Level: Warning,
		What:    "everybody can use " + strings.Join(open, ", "),
		Why:     "a copy of the keys of a soft SCM is sealed by no more than the PIN, and by nothing before there is one",
		Command: command(append([]string{"chmod", "o-rwx"}, open...)...),
		mend:    mend.mend,
	})
}

// groupNeeds are the permissions without which a file is of no use to the members of its group. The module lets nobody but
// the owner write the root key.
func (e entry) groupNeeds() fs.FileMode {
	if filepath.Base(e.path) == soft.RootKeyFile {
		return 0o040
	}
	return 0o060
}

// checkFilesOfGroup looks for files that members of the group cannot use.
func (v *visit) checkFilesOfGroup(files []entry, l setup.Look) {
	if v.mends("state-group-differs") {
		return // and this, too
	}
	for _, f := range files {
		if f.gid == l.Group && f.mode&f.groupNeeds() == f.groupNeeds() {
			continue
		}
		group := groupName(l.Group)
		v.tell(Finding{
			Name: "state-file-group", Level: Error,
			What:    fmt.Sprintf("%s is %s, which members of %s cannot write", f.path, f, group),
			Why:     "a file that was copied here by root, or from a backup, stops all other users of the token",
			Command: mendByDoctor,
			mend:    ownership{v.state, change{-1, l.Group, l.Directory}, change{-1, l.Group, l.File}}.mend,
		})
		return
	}
}

// checkFilesOfOwner looks for files that the owner of the directory cannot use: root has used the tool, or copied them.
func (v *visit) checkFilesOfOwner(files []entry, directory entry) {
	for _, f := range files {
		if f.uid == directory.uid && f.mode&0o600 == 0o600 {
			continue
		}
		owner := userName(directory.uid)
		v.tell(Finding{
			Name: "state-file-owner", Level: Error,
			What:    fmt.Sprintf("%s is %s, and the directory is that of %s", f.path, f, owner),
			Why:     "programs of " + owner + " find no token, or one that is write-protected",
			Command: fmt.Sprintf("chown -R --reference=%s %[1]s && chmod -R u+rw %[1]s", quote(v.state)),
			mend:    ownership{v.state, change{-1, -1, directory.mode & (fs.ModePerm | fs.ModeSetgid)}, change{directory.uid, directory.gid, 0o600}}.mend,
		})
		return
	}
}

// isMixed reports whether files of the token are those of several owners in a way in which nobody opens them to look, and
// tells it. SQLite gives a log to the owner of its database when root opens it: to look is to change nothing, and root does
// nothing for a user of whom the directory is not. Where a group shares the directory all of its members make what lies
// beside a database, such as locks and logs, and use it by the group, whoever owns it.
func (v *visit) isMixed(l setup.Look) bool {
	files := stateFiles(v.state)
	info, err := os.Stat(v.state)
	if err != nil || !hasSeveralOwners(files) {
		return false
	}
	directory := newEntry(v.state, info)
	if v.has("state-file-owner") || v.has("state-file-group") || l.Group >= 0 && l.Group != directory.gid {
		return true
	}
	for _, f := range files {
		if l.Group < 0 && (f.uid != directory.uid || f.gid != directory.gid) || l.Group >= 0 && f.isOfStranger(directory) {
			v.tellMixed(f, directory, l)
			return true
		}
	}
	return false
}

// hasSeveralOwners reports whether files are not all of one owner and group.
func hasSeveralOwners(files []entry) bool {
	return slices.ContainsFunc(files, func(f entry) bool { return f.uid != files[0].uid || f.gid != files[0].gid })
}

// isOfStranger reports whether a file is one of those that are the token and its soft SCM, and neither root's nor that of
// the directory's owner.
func (e entry) isOfStranger(directory entry) bool {
	switch filepath.Base(e.path) {
	case store.DatabaseFile, soft.FlashFile, soft.RootKeyFile:
		return e.uid != 0 && e.uid != directory.uid
	}
	return false
}

// tellMixed is about files that those who use the token can use, and doctor does not open.
func (v *visit) tellMixed(f, directory entry, l setup.Look) {
	mode := fs.FileMode(0o600)
	if l.Group >= 0 {
		mode = l.File
	}
	v.tell(Finding{
		Name: "state-file-owner", Level: Warning,
		What:    fmt.Sprintf("%s is %s, other files of the token are not, and the directory is that of %s:%s", f.path, f, userName(directory.uid), groupName(directory.gid)),
		Why:     "doctor and check do not open such files, because SQLite would change their owners: nobody looks at the token",
		Command: mendByDoctor,
		mend:    ownership{v.state, change{-1, -1, directory.mode & (fs.ModePerm | fs.ModeSetgid)}, change{directory.uid, directory.gid, mode}}.mend,
	})
}

// oldCounts is a file that only tokens of version 0.1.0 have.
const oldCounts = "pins.db"

// checkOld looks for a token of version 0.1.0, which becomes one of this version when it is opened.
func (v *visit) checkOld() {
	if !exists(v.state, oldCounts) || exists(v.state, store.CountsFile) {
		return
	}
	v.tell(Finding{
		Name: "state-older", Level: Warning,
		What:    "the token in " + v.state + " was made by version 0.1.0",
		Why:     "the first program that opens it takes it over; programs that still run with 0.1.0 have to be started again then",
		Command: "zk_pkcs11-util --show-slots",
	})
}
