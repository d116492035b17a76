// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
)

// stateFiles are the files of a token and its SCM in a directory.
func stateFiles(directory string) (files []entry) {
	names, _ := os.ReadDir(directory) // a user who may not read it has been told
	for _, e := range names {
		name := e.Name()
		if !strings.HasPrefix(name, "token.") && !strings.HasPrefix(name, soft.FlashFile) && name != soft.RootKeyFile {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, newEntry(filepath.Join(directory, name), info))
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
	var mends []func() error
	for _, f := range files {
		if f.mode&0o007 != 0 {
			open, mends = append(open, f.path), append(mends, modeMend(f.path, f.mode&^0o007))
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
		mend:    all(mends).mend,
	})
}

// all is several things that are mended.
type all []func() error

func (a all) mend() error {
	for _, mend := range a {
		if err := mend(); err != nil {
			return err
		}
	}
	return nil
}

// checkFilesOfGroup looks for files that members of the group cannot use.
func (v *visit) checkFilesOfGroup(files []entry, l setup.Look) {
	if v.has("state-group-differs") {
		return // which mends this, too
	}
	for _, f := range files {
		if f.gid == l.Group && f.mode&0o060 == 0o060 {
			continue
		}
		group := groupName(l.Group)
		v.tell(Finding{
			Name: "state-file-group", Level: Error,
			What:    fmt.Sprintf("%s is %s, which members of %s cannot write", f.path, f, group),
			Why:     "a file that was copied here by root, or from a backup, stops all other users of the token",
			Command: fmt.Sprintf("chgrp %s %s/*.* && chmod 660 %[2]s/*.*", quote(group), quote(v.state)),
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
