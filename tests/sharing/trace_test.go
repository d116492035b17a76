// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// steps are the system calls by which a process locks, changes and syncs files.
var steps = map[int]string{
	unix.SYS_FLOCK: "flock", unix.SYS_FCNTL: "fcntl", unix.SYS_PREAD64: "pread", unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite",
	unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate", unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync",
}

// tracer follows the main thread of a process through its steps in a directory.
type tracer struct {
	pid       int
	directory string
	begun     chan struct{}
	ended     chan error
	made      []string // the steps, as "flock token.db.lock"
}

// errNoTracing tells that the system lets no process trace another.
var errNoTracing = errors.New("no tracing")

// trace follows a process until it has made so many steps, and stops it there as SIGSTOP
// does, or until it writes to its standard output, where it runs on.
func trace(pid int, directory string, stop int) (*tracer, error) {
	x := &tracer{pid: pid, directory: directory, begun: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		runtime.LockOSThread() // the system knows the tracer by its thread
		defer runtime.UnlockOSThread()
		x.ended <- x.follow(stop)
	}()
	select {
	case <-x.begun:
		return x, nil
	case err := <-x.ended:
		return nil, err
	}
}

func (x *tracer) follow(stop int) error {
	if err := unix.PtraceSeize(x.pid); err != nil {
		return fmt.Errorf("%w: %w", errNoTracing, err)
	}
	if err := unix.PtraceInterrupt(x.pid); err != nil {
		return err
	}
	if _, err := x.wait(); err != nil {
		return err
	}
	if err := unix.PtraceSetOptions(x.pid, unix.PTRACE_O_TRACESYSGOOD); err != nil {
		return err
	}
	close(x.begun)
	for {
		if err := x.nextCall(); err != nil { // it enters
			return err
		}
		step, answered := x.call()
		if answered {
			return x.detach(0)
		}
		if err := x.nextCall(); err != nil { // it leaves
			return err
		}
		if step == "" {
			continue
		}
		x.made = append(x.made, step)
		if len(x.made) == stop {
			return x.detach(syscall.SIGSTOP)
		}
	}
}

// nextCall lets the process run to the next entry or end of a system call.
func (x *tracer) nextCall() error {
	const call = syscall.SIGTRAP | 0x80
	for signal := 0; ; {
		if err := unix.PtraceSyscall(x.pid, signal); err != nil {
			return err
		}
		got, err := x.wait()
		if err != nil || got == call {
			return err
		}
		signal = int(got) // is on its way to the process
	}
}

// wait waits until the process stops for the tracer.
func (x *tracer) wait() (syscall.Signal, error) {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(x.pid, &status, unix.WALL, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if !status.Stopped() {
			return 0, fmt.Errorf("the process ended: %#x", status)
		}
		return status.StopSignal(), nil
	}
}

// call describes the system call that the process is in, if it is a step, and reports
// whether it is one that writes to the standard output.
func (x *tracer) call() (step string, answered bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", x.pid))
	words := strings.Fields(string(text)) // number and arguments
	if err != nil || len(words) < 2 {
		return "", false
	}
	number, err := strconv.Atoi(words[0])
	descriptor, err2 := strconv.ParseUint(words[1], 0, 64)
	if errors.Join(err, err2) != nil {
		return "", false
	}
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", x.pid, descriptor))
	if err == nil && steps[number] != "" && filepath.Dir(file) == x.directory {
		step = steps[number] + " " + filepath.Base(file)
	}
	return step, number == unix.SYS_WRITE && descriptor == 1
}

// detach ends the tracing, and gives the process a signal, if not 0, before it goes on.
func (x *tracer) detach(signal syscall.Signal) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(x.pid), 0, uintptr(signal), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// awaitStopped waits until all threads of a process have stopped.
func awaitStopped(pid int) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			return err
		}
		stopped := 0
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if _, state, found := strings.Cut(string(text), ") "); err == nil && found && state[0] == 'T' {
				stopped++
			}
		}
		if stopped > 0 && stopped == len(threads) {
			return nil
		}
	}
	return errors.New("the process has not stopped")
}
