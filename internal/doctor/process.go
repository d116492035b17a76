// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// lookAtProcess looks at a process that runs: a server that uses the module.
func (v *visit) lookAtProcess(process string) {
	v.checkOutdated(process)
	user, known := readCredentials(process)
	for i := range v.config.Slots {
		if known {
			v.checkEntry(process, user, i)
		}
	}
}

// credentials are whose a process is.
type credentials struct {
	uid    int
	groups []int
}

func readCredentials(process string) (c credentials, ok bool) {
	text, err := os.ReadFile(filepath.Join("/proc", process, "status"))
	if err != nil {
		return c, false
	}
	for line := range bytes.Lines(text) {
		name, rest, _ := strings.Cut(string(line), ":")
		numbers := strings.Fields(rest)
		switch {
		case name == "Uid" && len(numbers) > 1:
			c.uid, _ = strconv.Atoi(numbers[1])
		case name == "Gid" && len(numbers) > 1, name == "Groups":
			c.groups = append(c.groups, integers(numbers)...)
		}
	}
	return c, true
}

func integers(words []string) (numbers []int) {
	for _, word := range words {
		if n, err := strconv.Atoi(word); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// mayUse reports whether a user may read, write and enter a directory.
func (c credentials) mayUse(e entry) bool {
	switch {
	case c.uid == 0:
		return true
	case c.uid == e.uid:
		return e.mode.Perm()&0o700 == 0o700
	case slices.Contains(c.groups, e.gid):
		return e.mode.Perm()&0o070 == 0o070
	}
	return e.mode.Perm()&0o007 == 0o007
}

// checkEntry looks whether a process may use the state of a slot. A server that is started by root drops its rights later.
func (v *visit) checkEntry(process string, c credentials, slot int) {
	state := v.config.Slots[slot].State
	info, err := os.Stat(state)
	if err != nil || !info.IsDir() || c.mayUse(newEntry(state, info)) {
		return
	}
	e := newEntry(state, info)
	undo := command("chown", "-R", userName(c.uid), state)
	if e.mode&fs.ModeSetgid != 0 {
		undo = command("usermod", "-aG", groupName(e.gid), userName(c.uid))
	}
	if _, own, strayed := v.strayed(state); strayed && slices.Contains(c.groups, own) {
		undo = backToGroup()
	}
	v.tell(Finding{
		Name: "process-shut-out", Level: Error,
		What:    fmt.Sprintf("process %s is that of %s, who may not use %s (%s)", process, userName(c.uid), state, e),
		Why:     "it finds no token, or one that is write-protected: a server starts, and every handshake fails",
		Command: undo,
	})
}

// checkOutdated looks whether a process has a module that is gone: one that was replaced by an upgrade.
func (v *visit) checkOutdated(process string) {
	text, err := os.ReadFile(filepath.Join("/proc", process, "maps"))
	if err != nil {
		return
	}
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte("/"+moduleName+" (deleted)")) {
			continue
		}
		v.tell(Finding{
			Name: "process-outdated", Level: Warning,
			What:    "process " + process + " has a " + moduleName + " that was replaced since it was started",
			Why:     "it goes on with the version of before, also with what was mended since",
			Command: command("systemctl", "restart", "UNIT"),
		})
		return
	}
}
