// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"errors"
	"io"
	"runtime"

	"golang.org/x/sys/unix"
)

// patience is how many milliseconds Write waits for a reader that lags behind, at
// a descriptor on which the host does not want to wait.
const patience = 100

// Write writes b to a descriptor, which may be the host's standard error. Where
// nobody reads any more it returns EPIPE and leaves no SIGPIPE to the host.
func Write(fd int, b []byte) (written int, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return 0, err
	}
	write := unix.Write
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		write = send
	case unix.S_IFIFO:
		write = writePipe
	}
	for len(b) > 0 {
		n, err := write(fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN) && writable(fd):
		case err != nil:
			return written, err
		case n == 0:
			return written, io.ErrShortWrite
		default:
			written, b = written+n, b[n:]
		}
	}
	return written, nil
}

// writable waits until the descriptor can be written, or patience ends, and reports whether
// to try again.
func writable(fd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, patience)
	return n > 0 || errors.Is(err, unix.EINTR)
}

func send(fd int, b []byte) (int, error) {
	return unix.SendmsgN(fd, b, nil, nil, unix.MSG_NOSIGNAL)
}

// writePipe keeps SIGPIPE back in this thread and takes out of the thread what the
// write has brought.
func writePipe(fd int, b []byte) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pipe := signalSet(unix.SIGPIPE)
	var before unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &pipe, &before); err != nil {
		return 0, err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	pending, err := openPending(&pipe)
	if err != nil { // no descriptor is left
		return writeToReader(fd, b)
	}
	defer pending.Close()
	if pending.any() { // it is the host's
		return unix.Write(fd, b)
	}
	n, err := unix.Write(fd, b)
	if errors.Is(err, unix.EPIPE) {
		pending.discard()
	}
	return n, err
}

// writeToReader writes to a pipe that somebody reads.
func writeToReader(fd int, b []byte) (int, error) {
	ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if _, err := unix.Poll(ask, patience); err != nil {
		return 0, err
	}
	if ask[0].Revents&(unix.POLLERR|unix.POLLNVAL) != 0 {
		return 0, unix.EPIPE
	}
	return unix.Write(fd, b)
}

func signalSet(signal unix.Signal) (set unix.Sigset_t) {
	const bits = 32 << (^uint(0) >> 63)
	n := int(signal) - 1
	set.Val[n/bits] |= 1 << (n % bits)
	return set
}

// pending are the signals of a set that wait for this thread.
type pending struct{ *File }

func openPending(set *unix.Sigset_t) (pending, error) {
	fd, err := unix.Signalfd(-1, set, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	if err != nil {
		return pending{}, err
	}
	f, err := New("signalfd", fd)
	return pending{f}, err
}

func (p pending) any() bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, 0)
	return n > 0
}

// discard takes one signal out.
func (p pending) discard() {
	var info [128]byte // struct signalfd_siginfo
	_, _ = unix.Read(p.fd, info[:])
}
