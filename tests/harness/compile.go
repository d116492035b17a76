// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Compile builds a C program against the project's headers and host.h of testdata, and returns its
// path. A compiler that lacks the sanitizers among the flags builds it without.
func Compile(t testing.TB, source string, flags ...string) string {
	t.Helper()
	Need(t, "cc")
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(source), ".c"))
	out, err := compile(t, program, source, flags)
	if err != nil && len(flags) > 0 {
		t.Logf("without %s: %v\n%s", strings.Join(flags, " "), err, out)
		out, err = compile(t, program, source, nil)
	}
	if err != nil {
		t.Fatalf("cc %s: %v\n%s", source, err, out)
	}
	return program
}

func compile(t testing.TB, program, source string, flags []string) (string, error) {
	args := append([]string{
		"-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-o", program, source,
		"-I" + filepath.Join(Root(t), "include"), "-I" + filepath.Join(Root(t), "tests/harness/testdata"),
	}, flags...)
	out, err := exec.Command("cc", append(args, "-ldl", "-lpthread")...).CombinedOutput()
	return string(out), err
}

// LeaveWay leaves one way by which children that are forked in a home get their copy of a
// library: "memfd", "path" or "file". "" leaves all.
func LeaveWay(t testing.TB, home *Home, way string) {
	t.Helper()
	if way == "" {
		return
	}
	source := filepath.Join(Root(t), "tests/harness/testdata/copyways.c")
	home.Set("LD_PRELOAD", Compile(t, source, "-shared", "-fPIC"))
	home.Set("ZK_TEST_WAY", way)
}
