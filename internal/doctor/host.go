// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lookAtHost looks at what the operating system gives everybody.
func (v *visit) lookAtHost() {
	v.checkClock()
	v.checkEntropy()
}

// What a host has to have.
const (
	littleSpace  = 16 << 20 // bytes: a warning
	noSpace      = 1 << 20  // bytes: nothing can be written
	littleFiles  = 64       // that can still be made
	leastEntropy = 128      // bits
	clockSlack   = time.Minute
)

// checkSpace looks at the disk that holds a state.
func (v *visit) checkSpace(directory string) {
	var disk unix.Statfs_t
	if unix.Statfs(directory, &disk) != nil {
		return
	}
	free := int64(disk.Bavail) * int64(disk.Bsize)
	f := Finding{
		Name: "space-low", Level: Warning, What: fmt.Sprintf("%d KiB are free on the disk of %s", free>>10, directory),
		Why: "new keys and objects are refused (CKR_DEVICE_MEMORY), and a PIN that cannot be counted is not looked at", Command: command("df", "-h", directory),
	}
	switch {
	case free < noSpace:
		f.Name, f.Level = "space-none", Error
	case disk.Files > 0 && disk.Ffree < littleFiles:
		f.Name, f.What, f.Command = "inodes-low", fmt.Sprintf("%d more files can be made on the disk of %s", disk.Ffree, directory), command("df", "-i", directory)
	case free >= littleSpace:
		return
	}
	v.tell(f)
}

// checkClock compares the clock with the newest file of a state: a host without a battery for it starts in the past.
func (v *visit) checkClock() {
	for _, s := range v.config.Slots {
		for _, f := range stateFiles(s.State) {
			info, err := os.Stat(f.path)
			if err != nil || time.Until(info.ModTime()) < clockSlack {
				continue
			}
			v.tell(Finding{
				Name: "clock-behind", Level: Warning,
				What:    fmt.Sprintf("the clock of this host is behind: %s was written at %s", f.path, info.ModTime().UTC().Format(time.RFC3339)),
				Why:     "certificates are taken for not yet valid, and times of objects are wrong",
				Command: "timedatectl set-ntp true",
			})
			return
		}
	}
}

// checkEntropy asks the kernel whether its generator is ready. Without it every call that draws a number waits.
func (v *visit) checkEntropy() {
	var b [1]byte
	_, err := unix.Getrandom(b[:], unix.GRND_NONBLOCK)
	bits, known := number("/proc/sys/kernel/random/entropy_avail")
	if err == nil && (!known || bits >= leastEntropy) {
		return
	}
	v.tell(Finding{
		Name: "entropy-low", Level: Warning,
		What:    fmt.Sprintf("the kernel has %d bits of entropy", bits),
		Why:     "early in the start of a host programs wait for random numbers, and a start script runs out of time",
		Command: "apt-get install rng-tools5",
	})
}

// number reads a file with a number in it, and reports whether it has one.
func number(path string) (n uint64, ok bool) {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
