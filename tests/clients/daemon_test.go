// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// daemon is the master of an nginx that runs in the home directory, 0 when none
// has written its number there.
func (s *sandbox) daemon() int {
	s.t.Helper()
	return s.pid(filepath.Join(s.home(), "nginx.pid"))
}

// pid reads the file into which a daemon writes its number; 0 when it has not.
func (s *sandbox) pid(file string) int {
	s.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	s.check(err)
	return pid
}

// endDaemons ends the daemons that have written their numbers into files of the
// sandbox; their workers end before they do.
func (s *sandbox) endDaemons() {
	s.t.Helper()
	s.check(filepath.WalkDir(s.root, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".pid" {
			return nil // a file that is gone is one of a daemon that ends
		}
		if pid := s.pid(file); pid != 0 {
			s.endDaemon(pid)
		}
		return nil
	}))
}

func (s *sandbox) endDaemon(pid int) {
	s.t.Helper()
	syscall.Kill(pid, syscall.SIGTERM)
	if !eventually(func() bool { return gone(pid) }) {
		s.t.Errorf("the daemon, process %d, does not end", pid)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// gone reports whether a process, which is not a child of this one, has ended. One
// that nobody has waited for counts, as there are in containers without an init.
func gone(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err != nil || bytes.Contains(status, []byte("\nState:\tZ"))
}
