// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
)

const (
	variableFile = "ZK_PKCS11_CONF"
	everyProgram = "every program gets CKR_GENERAL_ERROR from the module until it can be read"
)

// readSettings reports whether there are settings to go on with.
func (v *visit) readSettings() bool {
	c, err := config.Load(v.Getenv)
	v.noteFile()
	if err != nil {
		v.tellUnread(err)
		return false
	}
	v.config = setup.Placed(c)
	v.noteVariables(c)
	v.checkFileMode(c.Source.File)
	v.checkHidden(c)
	v.checkTrace(c)
	v.checkLog(c)
	return true
}

// noteFile says which file the settings are in, and why.
func (v *visit) noteFile() {
	file, why := config.DefaultFile, "its usual place"
	if named := v.Getenv(variableFile); named != "" {
		file, why = named, variableFile+" names it"
	} else if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		v.note("Settings", "built-in ones: there is no %s, and no %s", file, variableFile)
		return
	}
	v.note("Settings", "%s (%s)", file, why)
}

func (v *visit) noteVariables(c config.Config) {
	var names []string
	for _, name := range []string{"ZK_PKCS11_HOME", "ZK_PKCS11_BACKEND", "ZK_APP_UTILS_LIB", "ZK_PKCS11_TRACE", "ZK_PKCS11_FORK"} {
		if c.Source.Variables[name] != "" {
			names = append(names, name)
		}
	}
	if names != nil {
		v.note("Variables", "%s (before what the file says)", strings.Join(names, ", "))
	}
}

var (
	atLine     = regexp.MustCompile(`^(/[^:]*):(\d+): `)
	ofVariable = regexp.MustCompile(`^(ZK_[A-Z0-9_]+): `)
)

// tellUnread says why the settings cannot be read.
func (v *visit) tellUnread(err error) {
	named := v.Getenv(variableFile)
	f := Finding{Name: "settings-invalid", Level: Error, What: err.Error(), Why: everyProgram}
	place, variable := atLine.FindStringSubmatch(f.What), ofVariable.FindStringSubmatch(f.What)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named != "":
		f.Name, f.Command = "settings-missing", "unset "+variableFile
	case errors.Is(err, fs.ErrPermission):
		f.Name, f.Command = "settings-unreadable", command("chmod", "a+r", fileOf(named))
	case place != nil:
		f.Command = command("editor", "+"+place[2], place[1])
	case variable != nil && variable[1] != variableFile:
		f.Name, f.Command = "variable-invalid", "unset "+variable[1]
	default:
		f.Command = command("editor", fileOf(named))
	}
	v.tell(f)
}

func fileOf(named string) string {
	if named == "" {
		return config.DefaultFile
	}
	return named
}

// checkFileMode looks whether others can write the settings, by which they name a state and a library.
func (v *visit) checkFileMode(file string) {
	info, err := os.Stat(file)
	if file == "" || err != nil || info.Mode()&0o002 == 0 || !info.Mode().IsRegular() {
		return
	}
	v.tell(Finding{
		Name: "settings-writable", Level: Warning,
		What:    "everybody can write " + file,
		Why:     "a user who writes it has the programs of others load a library of his making, and use keys that are his",
		Command: command("chmod", "o-w", file),
		mend:    modeMend(file, info.Mode()&^0o002),
	})
}

// checkHidden looks for a token in the state directory itself, which is that of no slot once there is a [[slot]] table.
func (v *visit) checkHidden(c config.Config) {
	for _, s := range c.Slots {
		if s.State == c.State {
			return
		}
	}
	token, scm := exists(c.State, store.DatabaseFile), exists(c.State, soft.FlashFile)
	if !token && !scm {
		return
	}
	v.tell(Finding{
		Name: "slots-hide-token", Level: Warning,
		What:    "there is a token in " + c.State + ", which no [[slot]] of " + c.Source.File + " has",
		Why:     "programs do not find its keys: with [[slot]] tables each slot has a directory below, and the one above belongs to none",
		Command: `printf '\n[[slot]]\nname = "above"\nstate = "."\n' >> ` + quote(c.Source.File),
	})
}

func exists(elements ...string) bool {
	_, err := os.Lstat(filepath.Join(elements...))
	return err == nil
}

func (v *visit) checkTrace(c config.Config) {
	if c.Trace == "" {
		return
	}
	undo := "unset ZK_PKCS11_TRACE"
	if c.Source.Variables["ZK_PKCS11_TRACE"] == "" {
		undo = command("sed", "-i", "/^trace *=/d", c.Source.File)
	}
	v.tell(Finding{
		Name: "trace-on", Level: Warning,
		What:    "every call is traced to " + c.Trace,
		Why:     "it makes calls slow and fills the disk; values are left out, but labels and what is done when are in it",
		Command: undo,
	})
}

// checkLog looks whether a log file can be written, as far as that is seen without making it.
func (v *visit) checkLog(c config.Config) {
	if !strings.HasPrefix(c.Log.To, "/") {
		return
	}
	where := c.Log.To
	if !exists(where) {
		where = filepath.Dir(where)
	}
	err := unix.Access(where, unix.W_OK)
	if err == nil {
		return
	}
	v.tell(Finding{
		Name: "log-unwritable", Level: Warning,
		What:    "this user cannot write the log: " + where + ": " + err.Error(),
		Why:     "what goes wrong is told nowhere",
		Command: command("install", "-d", "-m", "1777", filepath.Dir(c.Log.To)),
	})
}
