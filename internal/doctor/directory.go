// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
)

// entry is a file or directory with those whose it is.
type entry struct {
	path     string
	mode     fs.FileMode
	uid, gid int
}

func newEntry(path string, info fs.FileInfo) entry {
	s := info.Sys().(*syscall.Stat_t)
	return entry{path, info.Mode(), int(s.Uid), int(s.Gid)}
}

// String is the entry as ls shows it.
func (e entry) String() string {
	return fmt.Sprintf("%s:%s %04o", userName(e.uid), groupName(e.gid), octal(e.mode))
}

// octal is a mode with the bit of directories that hand their group on.
func octal(mode fs.FileMode) fs.FileMode {
	n := mode.Perm()
	if mode&fs.ModeSetgid != 0 {
		n |= 0o2000
	}
	return n
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

func groupName(gid int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return strconv.Itoa(gid)
}

// lookAtDirectory reports whether the state directory is one that can be looked into.
func (v *visit) lookAtDirectory(l setup.Look, problem error) bool {
	if problem != nil {
		v.tellUnknownGroup(problem)
	}
	info, err := os.Stat(v.state)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.lookAtMissing(l)
		return false
	case errors.Is(err, fs.ErrPermission):
		v.tellClosed(v.state)
		return false
	case err != nil || !info.IsDir():
		v.tellNoDirectory(err)
		return false
	}
	e := newEntry(v.state, info)
	v.note("State", "%s (%s), %s", v.state, e, v.whyThere())
	v.checkGroup(e, l)
	v.checkSystemGroup()
	v.checkOthers(e, l)
	v.checkParents()
	v.checkRights()
	v.checkLeft()
	return unix.Access(v.state, unix.R_OK|unix.X_OK) == nil
}

// whyThere says what has put the state where it is.
func (v *visit) whyThere() string {
	c := v.config
	switch {
	case c.Slots[*v.slot].Shared != "":
		return "that of all users: the SCM is one in hardware"
	case c.Source.Variables["ZK_PKCS11_HOME"] != "":
		return "by ZK_PKCS11_HOME"
	case c.State != c.Source.State:
		return "by the settings"
	case c.State == config.SystemState:
		return "that of root and the group"
	}
	return "that of this user"
}

// tellUnknownGroup is about a group of the settings that the system does not have.
func (v *visit) tellUnknownGroup(err error) {
	v.tell(Finding{
		Name: "state-group-unknown", Level: Error,
		What:    err.Error(),
		Why:     "the module makes no state directory for a group that there is not, and opens no token",
		Command: command("groupadd", "--system", v.config.StateGroup),
	})
}

// lookAtMissing is about a state directory that is not there, which is no fault before the first use.
func (v *visit) lookAtMissing(l setup.Look) {
	if info, err := os.Lstat(v.state); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, _ := os.Readlink(v.state)
		v.tell(Finding{
			Name: "state-link-stale", Level: Error,
			What:    fmt.Sprintf("%s is a link to %s, which is not there", v.state, target),
			Why:     "the module can neither open the token nor make a new one",
			Command: command("rm", v.state),
			mend:    unlinkMend(v.state),
		})
		return
	}
	v.note("State", "%s is not there yet, %s", v.state, v.whyThere())
	if !l.Hardware && !l.CanMake() {
		v.tellNoPlace()
		return
	}
	v.tell(Finding{
		Name: "state-missing", Level: Info,
		What:    v.state + " is not there",
		Why:     "it is made when a token is initialised; until then there is none",
		Command: v.initialise(),
	})
}

func (v *visit) tellNoDirectory(err error) {
	what := v.state + " is no directory"
	if err != nil {
		what = err.Error()
	}
	v.tell(Finding{
		Name: "state-not-directory", Level: Error,
		What:    what,
		Why:     "the module can neither open the token nor make a new one",
		Command: command("mv", v.state, v.state+".aside"),
	})
}

func (v *visit) tellClosed(path string) {
	v.tell(Finding{
		Name: "state-closed", Level: Error,
		What:    fmt.Sprintf("this user (%s) may not enter %s", userName(os.Geteuid()), path),
		Why:     "programs of this user find no token",
		Command: v.joinGroup(path),
	})
}

// joinGroup lets a user in: into the group of a directory that is a group's, else to its owner.
func (v *visit) joinGroup(path string) string {
	me := userName(os.Geteuid())
	info, err := os.Stat(path)
	if err != nil {
		return command("sudo", "-u", "root", "zk_pkcs11-util", "doctor")
	}
	e := newEntry(path, info)
	if e.mode&fs.ModeSetgid != 0 {
		return command("usermod", "-aG", groupName(e.gid), me)
	}
	return command("sudo", "-u", userName(e.uid), "zk_pkcs11-util", "doctor")
}

// checkGroup compares the directory with the group of the settings.
func (v *visit) checkGroup(e entry, l setup.Look) {
	if l.Group < 0 {
		return
	}
	v.checkGroupName(e)
	want := groupName(l.Group)
	f := Finding{Level: Error, Command: mendByDoctor,
		mend: ownership{v.state, change{-1, l.Group, 0o770 | fs.ModeSetgid}, change{-1, l.Group, 0o660}}.mend}
	switch {
	case e.gid != l.Group:
		f.Name, f.What = "state-group-differs", fmt.Sprintf("%s is of group %s, and state_group is %s", v.state, groupName(e.gid), want)
		f.Why = "servers start, because the certificate needs no key, and every handshake fails: members of " + want + " cannot use the token"
	case e.mode.Perm()&0o070 != 0o070 || e.mode&fs.ModeSetgid == 0:
		f.Name, f.What = "state-group-mode", fmt.Sprintf("%s has the mode %04o, and state_group %s needs 2770", v.state, octal(e.mode), want)
		f.Why = "members of " + want + " cannot use the token, or make files in it that others of them cannot use"
	default:
		return
	}
	v.tell(f)
}

// strayed reports whether the directory of all users, in which a state is, is shared by another group than own, for which it is made,
// and no setting says so. The module goes by the group of that directory, whichever that is, also for slots below it.
func (v *visit) strayed(state string) (top entry, own int, is bool) {
	if v.config.StateGroup != "" || state != config.SystemState && !strings.HasPrefix(state, config.SystemState+"/") {
		return top, 0, false
	}
	info, err := os.Stat(config.SystemState)
	if err != nil || info.Mode()&fs.ModeSetgid == 0 {
		return top, 0, false
	}
	g, err := user.LookupGroup(setup.SystemGroup)
	if err != nil {
		return top, 0, false
	}
	top = newEntry(config.SystemState, info)
	own, err = strconv.Atoi(g.Gid)
	return top, own, err == nil && own != top.gid
}

// mendByDoctor is the command that mends what Mend does. It follows no link that members of a group have put into the directory.
const mendByDoctor = "zk_pkcs11-util doctor --fix"

// backToGroup gives the directory of all users to its group again, and no file that a link in it leads to, or that has a
// second name elsewhere. Members of the group do not write the root key.
func backToGroup() string {
	return fmt.Sprintf("chgrp -R %s %s && chmod 2770 %[2]s && find %[2]s -maxdepth 1 -type f -links 1 ! -name %s -exec chmod 660 {} +",
		setup.SystemGroup, config.SystemState, soft.RootKeyFile)
}

// checkSystemGroup is about the directory of all users with another group than its own. An administrator may have given it to that
// one, whose servers use the keys: nobody else gives it back.
func (v *visit) checkSystemGroup() {
	top, _, strayed := v.strayed(v.state)
	if !strayed {
		return
	}
	name := groupName(top.gid)
	v.tell(Finding{
		Name: "state-group-differs", Level: Warning,
		What: fmt.Sprintf("%s is of group %s, and not of %s, which is there; no setting state_group says so", config.SystemState, name, setup.SystemGroup),
		Why: fmt.Sprintf("servers whose users are in %s start, and every handshake fails: they cannot use the token. Where it is meant, say state_group = \"%s\" in the settings; "+
			"where it is not, chgrp gives it back, and users in %[2]s lose the token", setup.SystemGroup, name),
		Command: backToGroup(),
	})
}

// checkGroupName is about a group of the settings that the system does not have, where the directory is that of
// another one, which the module goes by.
func (v *visit) checkGroupName(e entry) {
	name := v.config.StateGroup
	if _, err := user.LookupGroup(name); name == "" || err == nil {
		return
	}
	v.tell(Finding{
		Name: "state-group-unknown", Level: Warning,
		What:    fmt.Sprintf("there is no group %s, which is state_group in the settings; %s is of group %s", name, v.state, groupName(e.gid)),
		Why:     "the module goes by the group of the directory, and makes no new one when that is gone",
		Command: fmt.Sprintf("sed -i 's/^state_group.*/state_group = \"%s\"/' %s", groupName(e.gid), quote(v.config.Source.File)),
	})
}

// checkOthers looks whether somebody else could put an SCM of his making there.
func (v *visit) checkOthers(e entry, l setup.Look) {
	forbidden := fs.FileMode(0o022)
	if l.Group >= 0 {
		forbidden = 0o002
	}
	if e.mode&forbidden == 0 || e.mode&fs.ModeSetgid != 0 && v.has("state-group-mode") {
		return
	}
	f := Finding{
		Name: "state-open", Level: Warning,
		What:    fmt.Sprintf("other users can write %s (mode %04o)", v.state, octal(e.mode)),
		Why:     "a user who can write it puts an SCM of his making there, whose keys he has",
		Command: command("chmod", "go-w", v.state),
		mend:    modeMend(v.state, e.mode&^forbidden),
	}
	if e.mode&0o002 == 0 && e.mode&fs.ModeSetgid != 0 { // it was made for a group
		f.Command, f.mend = fmt.Sprintf(`sed -i '1i state_group = "%s"' %s`, groupName(e.gid), quote(v.settingsFile())), nil
	}
	v.tell(f)
}

func (v *visit) settingsFile() string {
	if v.config.Source.File != "" {
		return v.config.Source.File
	}
	return config.DefaultFile
}

// checkParents looks whether the members of the group get to the directory at all.
func (v *visit) checkParents() {
	if v.config.StateGroup == "" {
		return
	}
	for dir := filepath.Dir(v.state); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o011 != 0 {
			continue
		}
		v.tell(Finding{
			Name: "state-parent-closed", Level: Error,
			What:    fmt.Sprintf("%s has the mode %04o: only its owner gets through to %s", dir, octal(info.Mode()), v.state),
			Why:     "members of " + v.config.StateGroup + " find no token, whatever the mode of the state directory is",
			Command: command("chmod", "a+x", dir),
		})
		return
	}
}

// checkRights looks what this user may do.
func (v *visit) checkRights() {
	switch {
	case unix.Access(v.state, unix.R_OK|unix.X_OK) != nil:
		v.tellClosed(v.state)
	case errors.Is(unix.Access(v.state, unix.W_OK), unix.EROFS):
		v.tellReadOnly("the file system of "+v.state+" is mounted for reading only", command("mount", "-o", "remount,rw", v.mountPoint()))
	case unix.Access(v.state, unix.W_OK) != nil:
		v.tellReadOnly(fmt.Sprintf("this user (%s) cannot write %s", userName(os.Geteuid()), v.state), v.joinGroup(v.state))
	}
}

func (v *visit) tellReadOnly(what, undo string) {
	v.tell(Finding{
		Name: "state-read-only", Level: Warning,
		What:    what,
		Why:     "the token is write-protected: no new keys and PINs, and wrong PINs are not counted",
		Command: undo,
	})
}

// mountPoint is the directory at which the file system of the state begins.
func (v *visit) mountPoint() string {
	dir := v.state
	var here, above unix.Stat_t
	for dir != "/" && unix.Stat(dir, &here) == nil && unix.Stat(filepath.Dir(dir), &above) == nil && here.Dev == above.Dev {
		dir = filepath.Dir(dir)
	}
	return dir
}

// checkLeft looks for what restores have left beside the state directory.
func (v *visit) checkLeft() {
	names, _ := filepath.Glob(v.state + ".*-*")
	names = slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasPrefix(name, v.state+".old-") && !strings.HasPrefix(name, v.state+".new-")
	})
	if len(names) == 0 {
		return
	}
	v.tell(Finding{
		Name: "state-left", Level: Warning,
		What:    "a restore has left " + strings.Join(names, " and "),
		Why:     "there are keys in it, and PINs of before open them",
		Command: command(append([]string{"rm", "-r"}, names...)...),
	})
}
