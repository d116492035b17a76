// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// What the module needs of a process: see module/start.c.
const (
	megabyte     = 1 << 20
	addressSpace = 1800 * megabyte // on 64 bits
	addressLess  = 600 * megabyte  // on 32 bits
	dataSpace    = 300 * megabyte
	fileSize     = 16 * megabyte
	descriptors  = 64
	spareThreads = 8 // of the runtime, besides one a processor that it uses: 2 to 8
)

// threads are how many the module needs.
func threads() uint64 { return uint64(min(max(runtime.NumCPU(), 2), 8) + spareThreads) }

// limit is one of a process, with what the module needs of it.
type limit struct {
	row   string // of /proc/PID/limits
	name  string // of the finding
	level Level
	least uint64
	unit  string // of systemd
	why   string
}

func limits() []limit {
	const memory = "the module answers CKR_HOST_MEMORY to every call"
	space := uint64(addressSpace)
	if strconv.IntSize == 32 {
		space = addressLess
	}
	return []limit{
		{"Max address space", "limit-address-space", Error, space, "LimitAS", memory},
		{"Max data size", "limit-data", Error, dataSpace, "LimitDATA", memory},
		{"Max file size", "limit-file-size", Warning, fileSize, "LimitFSIZE", "the token's files cannot grow: new objects are refused"},
		{"Max open files", "limit-files", Warning, descriptors, "LimitNOFILE", "a server with many connections has no descriptor left for the token's files"},
		{"Max processes", "limit-threads", Error, threads(), "LimitNPROC", memory},
	}
}

// lookAtLimits compares the limits of a process with what the module needs.
func (v *visit) lookAtLimits() {
	process := "self"
	if v.Process != 0 {
		process = strconv.Itoa(v.Process)
		v.lookAtProcess(process)
	}
	text, err := os.ReadFile(filepath.Join("/proc", process, "limits"))
	if err != nil {
		v.tell(Finding{
			Name: "process-unknown", Level: Warning, What: err.Error(),
			Why: "the limits of the process are not known", Command: "ps -e -o pid,user,comm",
		})
		return
	}
	for _, l := range limits() {
		v.checkLimit(l, text, process)
	}
	v.checkGroupOfProcesses(process)
}

// read returns the limit of a row, which is in columns, and how far the process itself may raise it.
func (l limit) read(text []byte) (soft, hard uint64) {
	for line := range bytes.Lines(text) {
		if rest, is := strings.CutPrefix(string(line), l.row+" "); is {
			columns := strings.Fields(rest)
			return valueOf(columns[0]), valueOf(columns[1])
		}
	}
	return math.MaxUint64, math.MaxUint64
}

func valueOf(column string) uint64 {
	n, err := strconv.ParseUint(column, 10, 64)
	if err != nil { // "unlimited"
		return math.MaxUint64
	}
	return n
}

func (v *visit) checkLimit(l limit, text []byte, process string) {
	is, most := l.read(text)
	if l.unit == "LimitNOFILE" && v.Process == 0 {
		is = most // this process has raised its own: Go does
	}
	if is >= l.least || l.unit == "LimitNPROC" && v.isRoot(process) {
		return
	}
	v.tell(Finding{
		Name: l.name, Level: l.level,
		What:    fmt.Sprintf("%s of process %s is %d, and the module needs %d", strings.ToLower(l.row), process, is, l.least),
		Why:     l.why,
		Command: v.raise(l, most),
	})
}

// raise is how a limit is raised: of a process that runs, or of a shell; without a right to do so as far as it goes.
func (v *visit) raise(l limit, most uint64) string {
	flag := map[string]string{"LimitAS": "as", "LimitDATA": "data", "LimitFSIZE": "fsize", "LimitNOFILE": "nofile", "LimitNPROC": "nproc"}[l.unit]
	to := "unlimited"
	switch {
	case l.unit == "LimitNOFILE" && most < l.least:
		to = "1024"
	case most == math.MaxUint64:
		to = "unlimited:"
	case most >= l.least:
		to = fmt.Sprintf("%d:", most)
	}
	if v.Process != 0 {
		return fmt.Sprintf("prlimit --pid %d --%s=%s # for good: %s=infinity in its unit", v.Process, flag, to, l.unit)
	}
	return fmt.Sprintf("prlimit --pid $$ --%s=%s", flag, to)
}

// isRoot reports whether a process is root's, whose threads are not limited.
func (v *visit) isRoot(process string) bool {
	info, err := os.Stat(filepath.Join("/proc", process))
	return err == nil && newEntry("", info).uid == 0
}

// checkGroupOfProcesses looks at how many threads a cgroup still has room for.
func (v *visit) checkGroupOfProcesses(process string) {
	text, err := os.ReadFile(filepath.Join("/proc", process, "cgroup"))
	if err != nil {
		return
	}
	_, path, _ := strings.Cut(strings.TrimSpace(string(text)), "::")
	group := filepath.Join("/sys/fs/cgroup", path)
	most, limited := number(filepath.Join(group, "pids.max"))
	now, _ := number(filepath.Join(group, "pids.current"))
	need := threads()
	if !limited || now+need <= most {
		return
	}
	v.tell(Finding{
		Name: "limit-pids", Level: Error,
		What:    fmt.Sprintf("%d of %d threads of %s are in use, and the module needs %d", now, most, group, need),
		Why:     "the module answers CKR_HOST_MEMORY to every call",
		Command: "systemctl set-property UNIT TasksMax=infinity",
	})
}
