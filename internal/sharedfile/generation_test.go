// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestStoreThatFaults stands for a file that was cut and for a disk that is full.
func TestStoreThatFaults(t *testing.T) {
	mapped, err := unix.Mmap(-1, 0, generationSize(0), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mapped)
	g := &generation{mapped: mapped, writable: true}
	if err := g.begin(); err == nil {
		t.Error("the write has not failed")
	}
	g.end(true, nil, true)
	if v := g.version(); v != 0 {
		t.Errorf("the counter is %d", v)
	}
}
