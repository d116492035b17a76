// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDetachAfterUnmap: what was unmapped may be somebody else's memory by now.
func TestDetachAfterUnmap(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "words"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(WordsSize); err != nil {
		t.Fatal(err)
	}
	m, err := f.MapWords(unix.PROT_READ | unix.PROT_WRITE)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.TrimPrefix(fmt.Sprintf("%p", m.Words()), "0x")
	m.Words()[0].Store(1)
	m.Detach()
	if v := m.Words()[0].Load(); v != 0 {
		t.Errorf("found %d after Detach, want 0", v)
	}
	m.Unmap()
	m.Detach()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(maps), start+"-") {
		t.Error("Detach has mapped over memory that it does not have")
	}
}
