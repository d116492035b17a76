// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// nobody is the number of the user who has no rights, and of his group.
const nobody = "65534"

// TestHaproxy has a host do what haproxy does without the line
// insecure-fork-wanted: its workers may make no threads when they first use the
// key. The module knows haproxy by its name.
func TestHaproxy(t *testing.T) {
	program := compile(t, "haproxy")
	for _, scenario := range []string{"alone", "background", "master-worker"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			needNoThreads(t, scenario)
			silent(t, newTokenOfNobody(t), program, scenario, nobody)
		})
	}
}

// TestLikeHaproxy names the quirk for a program that the module does not know, and
// for one that it does takes it away.
func TestLikeHaproxy(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other")
	run(t, "cp", compile(t, "haproxy"), other)
	for _, scenario := range []string{"alone", "background", "master-worker"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			needNoThreads(t, scenario)
			home := newTokenOfNobody(t)
			home.Set("ZK_PKCS11_QUIRKS", "haproxy")
			silent(t, home, other, scenario, nobody)
		})
	}
}

// needNoThreads skips a scenario in whose children a copy of another library in Go would make threads.
func needNoThreads(t *testing.T, scenario string) {
	t.Helper()
	if scenario != "alone" {
		harness.SoftOnly(t, harness.SecondRuntime)
	}
}

// TestHaproxyWithoutQuirk wants a code and a line in the log from a worker that may make
// no threads and has none, not its end.
func TestHaproxyWithoutQuirk(t *testing.T) {
	home := newTokenOfNobody(t)
	home.Set("ZK_PKCS11_QUIRKS", "none")
	out := home.Run(compile(t, "haproxy"), harness.Module(t), "refused", nobody)
	if !strings.HasPrefix(out, "libzk_pkcs11: error: ") || strings.Count(out, "\n") != 1 {
		t.Errorf("printed %q, want one line of the log", out)
	}
}

// addressSpace is what the module wants to be free, in MB, from the source text.
var addressSpace = regexp.MustCompile(`(?m)^#define ADDRESS_SPACE .*\(size_t\)([0-9]+) << 20 :`)

// TestAddressSpaceOfFirstCall: README.md says how much has to be free at the first call
// that needs it, in MB, and that is enough.
func TestAddressSpaceOfFirstCall(t *testing.T) {
	harness.SoftOnly(t, harness.SecondRuntime) // which needs as much again
	if strconv.IntSize != 64 {
		t.Skip("the numbers are those of 64 bits")
	}
	found := addressSpace.FindSubmatch(text(t, "module/start.c"))
	if found == nil {
		t.Fatal("module/start.c has no ADDRESS_SPACE in the form that this test knows")
	}
	needed, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	if claim := fmt.Sprintf("%d MB of address space", needed); !bytes.Contains(text(t, "README.md"), []byte(claim)) {
		t.Errorf("README.md does not say %q", claim)
	}
	program := compile(t, "cramped")
	silent(t, newToken(t), program, "enough", strconv.Itoa(needed+50))
	out := newToken(t).Run(program, harness.Module(t), "little", strconv.Itoa(needed-50))
	if !strings.HasPrefix(out, "libzk_pkcs11: error: ") || !strings.Contains(out, "address space") || strings.Count(out, "\n") != 1 {
		t.Errorf("printed %q, want one line of the log", out)
	}
}

// text reads a file of the project.
func text(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(harness.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newTokenOfNobody is a token that hosts can use after they have given up the
// rights of root.
func newTokenOfNobody(t *testing.T) *harness.Home {
	t.Helper()
	home := newToken(t)
	if os.Geteuid() == 0 {
		open(t, home.Dir)
		run(t, "chown", "-R", nobody+":"+nobody, home.Dir)
	}
	return home
}
