// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// mapping is a piece of a process's memory.
type mapping struct {
	from, to uint64
	mode     string
	name     string
	flags    []string // of proc(5)
}

// wiped reports whether the kernel keeps the mapping from children and from core dumps.
func (m mapping) wiped() bool { return slices.Contains(m.flags, "wf") && m.undumped() }

// undumped reports whether the kernel leaves the mapping out of core dumps.
func (m mapping) undumped() bool { return slices.Contains(m.flags, "dd") }

// hits are where a needle was found.
type hits struct {
	wiped  int // in memory that the kernel keeps from children and core dumps
	dumped int // in memory that a core dump has
	other  int
	where  []string
}

func (h hits) outside() int { return h.dumped + h.other }

func (h hits) all() int { return h.wiped + h.outside() }

// image looks for needles in all memory of a process that can be read.
func image(t *testing.T, pid int, needles []needle) []hits {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := make([]hits, len(needles))
	for _, m := range mappings(t, pid) {
		if m.mode[0] != 'r' || strings.HasPrefix(m.name, "[v") {
			continue
		}
		b := make([]byte, m.to-m.from)
		n, err := memory.ReadAt(b, int64(m.from))
		if err != nil && n == 0 {
			continue // not there, such as beyond the end of a file
		}
		for i, x := range needles {
			found[i].add(m, copies(b[:n], x.bytes))
		}
		clear(b)
	}
	return found
}

func (h *hits) add(m mapping, n int) {
	if n == 0 {
		return
	}
	switch {
	case m.wiped():
		h.wiped += n
	case m.undumped():
		h.other += n
	default:
		h.dumped += n
	}
	h.where = append(h.where, fmt.Sprintf("%d in %x-%x %s %s", n, m.from, m.to, m.name, strings.Join(m.flags, " ")))
}

// copies counts a secret of which at least one half is there.
func copies(memory, secret []byte) int {
	half := len(secret) / 2
	return max(bytes.Count(memory, secret[:half]), bytes.Count(memory, secret[half:]))
}

func mappings(t *testing.T, pid int) (all []mapping) {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var m mapping
		var offset, device, inode string
		n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %s %s", &m.from, &m.to, &m.mode, &offset, &device, &inode, &m.name)
		if n >= 6 && strings.Contains(device, ":") {
			all = append(all, m)
		} else if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok {
			all[len(all)-1].flags = strings.Fields(flags)
		}
	}
	return all
}
