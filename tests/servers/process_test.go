// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a server may take to start, to reload or to end.
const patience = 30 * time.Second

// daemon is a server that runs in the background.
type daemon struct {
	t       *testing.T
	pidFile string // "" when it writes none
	address string
	key     key
}

// daemonise runs a program that goes into the background and writes its number
// into a file. It is ended with the test.
func (s *site) daemonise(k key, pidFile, address, name string, args ...string) *daemon {
	s.t.Helper()
	d := &daemon{s.t, s.path(pidFile), address, k}
	s.t.Cleanup(d.end) // before the start: a server that fails may have left something
	s.run(k, name, args...)
	d.await()
	if !eventually(func() bool { return d.master() != 0 }) {
		s.t.Fatalf("%s has not written %s", name, pidFile)
	}
	return d
}

// foreground runs a program that stays a child of the test, until it ends. One with
// workers writes its number into a file; pidFile is "" for others.
func (s *site) foreground(k key, pidFile, address, name string, args ...string) *daemon {
	s.t.Helper()
	cmd := s.command(k, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	s.check(cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s:\n%s", name, out.String())
		}
	})
	if pidFile != "" {
		pidFile = s.path(pidFile)
	}
	d := &daemon{s.t, pidFile, address, k}
	s.t.Cleanup(d.end)
	d.await()
	return d
}

// await waits until the server listens.
func (d *daemon) await() {
	d.t.Helper()
	if !eventually(func() bool {
		conn, err := net.Dial("tcp", d.address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		d.t.Fatalf("nothing listens on %s", d.address)
	}
}

// master is the number in the file, 0 when there is none.
func (d *daemon) master() int {
	text, err := os.ReadFile(d.pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0 // still being written
	}
	return pid
}

// workers are the children of the master.
func (d *daemon) workers() (pids []int) {
	pid := d.master()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, word := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(word); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// signal asks the master for something.
func (d *daemon) signal(which syscall.Signal) {
	d.t.Helper()
	pid := d.master()
	if pid == 0 {
		d.t.Fatal("the master is gone")
	}
	if err := syscall.Kill(pid, which); err != nil {
		d.t.Fatal(err)
	}
}

// end ends the master, and waits for its workers too. SoftHSM2 may keep them,
// which is no fault of what is tested here.
func (d *daemon) end() {
	pid := d.master()
	if d.t.Failed() {
		d.logs()
	}
	if pid == 0 {
		return
	}
	left := append(d.workers(), pid)
	_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended
	if eventually(func() bool { left = slices.DeleteFunc(left, gone); return len(left) == 0 }) {
		return
	}
	for _, p := range left {
		_ = syscall.Kill(p, syscall.SIGKILL) // it may have ended now
	}
	complain := d.t.Errorf
	if d.key.module == softHSM {
		complain = d.t.Logf
	}
	complain("key in %s: the processes %v did not end", d.key.where, left)
}

// logs shows what the servers of the site wrote. What one in the foreground says
// is shown by the child's own clean-up.
func (d *daemon) logs() {
	if d.pidFile == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(d.pidFile), "*.log")) // the pattern is well formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			d.t.Logf("%s:\n%s", filepath.Base(file), text[max(0, len(text)-4000):])
		}
	}
}

// gone reports whether a process that is no child of this one has ended. One that
// nobody has waited for counts, as there are in containers without an init.
func gone(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err != nil || bytes.Contains(status, []byte("\nState:\tZ"))
}

// eventually asks until the answer is yes, and reports whether it is in time.
func eventually(ok func() bool) bool { return within(patience, ok) }

// within is eventually with another limit: it reports whether the answer is yes in time.
func within(limit time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
