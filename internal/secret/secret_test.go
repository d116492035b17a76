// SPDX-License-Identifier: Apache-2.0

package secret_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/secret"
)

func TestBuffer(t *testing.T) {
	for _, n := range []int{0, 1, 32, 4096, 4097} {
		b := secret.New(n)
		if got := b.Bytes(); !bytes.Equal(got, make([]byte, n)) || cap(got) != n {
			t.Errorf("New(%d): %d bytes, capacity %d", n, len(got), cap(got))
		}
		for i := range b.Bytes() {
			b.Bytes()[i] = byte(i) // all of it can be written
		}
		b.Destroy()
		b.Destroy()
		if b.Bytes() != nil {
			t.Error("Bytes is not nil after Destroy")
		}
	}
}

func TestNil(t *testing.T) {
	var b *secret.Buffer
	b.Destroy()
	if b.Bytes() != nil {
		t.Error("Bytes of a nil buffer is not nil")
	}
}

func TestFromWipesItsSource(t *testing.T) {
	source := []byte("key")
	b := secret.From(source)
	defer b.Destroy()
	if got := string(b.Bytes()); got != "key" {
		t.Errorf("buffer holds %q", got)
	}
	if !bytes.Equal(source, make([]byte, 3)) {
		t.Errorf("source still holds %q", source)
	}
}

// The flags are those of proc(5): wf, wiped on fork; dd, not dumped.
func TestKernelFlags(t *testing.T) {
	b := secret.New(32)
	defer b.Destroy()
	address := uint64(reflect.ValueOf(b.Bytes()).Pointer())
	flags := flagsOf(t, address)
	if flags == nil {
		t.Skip("the kernel does not show the flags of a mapping in /proc/self/smaps")
	}
	for _, want := range []string{"wf", "dd"} {
		if !slices.Contains(flags, want) {
			t.Errorf("flags of the mapping are %v, without %s", flags, want)
		}
	}
}

var mappingLine = regexp.MustCompile(`^[0-9a-f]+-[0-9a-f]+ `)

// flagsOf returns the VmFlags of the mapping that contains the address.
func flagsOf(t *testing.T, address uint64) []string {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skipf("no /proc/self/smaps: %v", err)
	}
	var low, high uint64
	for line := range strings.Lines(string(smaps)) {
		if mappingLine.MatchString(line) {
			if _, err := fmt.Sscanf(line, "%x-%x", &low, &high); err != nil {
				t.Fatal(err)
			}
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && low <= address && address < high {
			return strings.Fields(flags)
		}
	}
	return nil
}

func TestDo(t *testing.T) {
	var b *secret.Buffer
	secret.Do(func() { b = secret.From([]byte("key")) })
	secret.Collect()
	if got := string(b.Bytes()); got != "key" {
		t.Errorf("got %q: what the caller keeps has to last", got)
	}
	b.Destroy()
}
