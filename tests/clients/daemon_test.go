// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
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
	text, err := os.ReadFile(filepath.Join(s.home(), "nginx.pid"))
	if err != nil || len(text) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	s.check(err)
	return pid
}

// endDaemon ends it; its workers end before it does.
func (s *sandbox) endDaemon() {
	s.t.Helper()
	pid := s.daemon()
	if pid == 0 {
		return
	}
	syscall.Kill(pid, syscall.SIGTERM)
	if !eventually(func() bool { return gone(pid) }) {
		s.t.Errorf("the daemon, process %d, does not end", pid)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// gone tells whether a process, which is not a child of this one, has ended.
func gone(pid int) bool { return syscall.Kill(pid, 0) != nil }
