// SPDX-License-Identifier: Apache-2.0

//go:build goexperiment.runtimesecret

package soft

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// copiesInMemory counts where b stands in this process's writable memory. The
// pattern is compared byte by byte and never copied.
func copiesInMemory(t *testing.T, b []byte) int {
	t.Helper()
	maps, err := os.Open("/proc/self/maps")
	must(t, err)
	defer maps.Close()
	memory, err := os.Open("/proc/self/mem")
	must(t, err)
	defer memory.Close()
	n := 0
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		n += copiesIn(memory, from, to, b)
	}
	return n
}

// copiesIn reads a range page by page into one buffer, which does not count
// itself: it is wiped before the next page is looked at.
func copiesIn(memory *os.File, from, to int64, b []byte) (n int) {
	page := make([]byte, 4096)
	defer clear(page)
	for at := from; at < to; at += int64(len(page)) {
		clear(page)
		if _, err := memory.ReadAt(page, at); err != nil {
			continue // not there, such as a guard page
		}
		n += bytes.Count(page, b)
	}
	return n
}

// TestRootKeyInMemory checks that an opened root key is in the memory that is
// wiped in forked children, and left nowhere else by what was done with it.
func TestRootKeyInMemory(t *testing.T) {
	d := openTest(t, t.TempDir())
	pass := []byte("a secret of the token, 32 bytes.")
	must(t, d.Prepare(pass))
	must(t, d.Unseal(pass))
	_, err := d.Generate(scm.P256)
	must(t, err)
	_, err = d.Sign(0, make([]byte, 32))
	must(t, err)
	d.Forget()
	must(t, d.Unseal(pass))
	r := d.known.Load().root
	key, err := r.holdKey()
	must(t, err)
	defer r.mu.RUnlock()
	if n := copiesInMemory(t, key); n != 1 {
		t.Errorf("the root key is in memory %d times, want once", n)
	}
}

// TestPrivateKeysInMemory uses session keys, and finds none in memory but the copy that
// this test asks for in the end.
func TestPrivateKeysInMemory(t *testing.T) {
	d := openTest(t, t.TempDir())
	for _, c := range scm.Curves {
		k, err := d.GenerateVolatile(c)
		must(t, err)
		able := d.Capability(c)
		for range 3 {
			if able.Sign {
				_, err = d.Sign(k.Slot, make([]byte, 32))
				must(t, err)
			}
			if able.Agree {
				shared, err := d.Agree(k.Slot, k.Public)
				must(t, err)
				if n := copiesInMemory(t, shared); n != 1 {
					t.Errorf("%s: an agreed secret is in memory %d times, want once", c, n)
				}
				clear(shared)
			}
		}
		key, err := d.VolatileSecret(k.Slot)
		must(t, err)
		if n := copiesInMemory(t, key); n != 1 {
			t.Errorf("%s: the private key is in memory %d times, want once", c, n)
		}
		slices.Reverse(key)
		if n := copiesInMemory(t, key); n != 1 {
			t.Errorf("%s: the private key is in memory %d times as words, want once", c, n)
		}
		clear(key)
	}
}
