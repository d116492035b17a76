// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// fake is a home whose module and tool use the library of testdata.
type fake struct {
	*harness.Home
	t                *testing.T
	ways, calls, log string // files
}

func newFake(t *testing.T, library string) *fake {
	t.Helper()
	dir := t.TempDir()
	f := &fake{harness.NewHome(t), t, filepath.Join(dir, "ways"), filepath.Join(dir, "calls"), filepath.Join(dir, "log")}
	f.Set("ZK_PKCS11_BACKEND", "zymbit")
	f.Set("ZK_APP_UTILS_LIB", library)
	f.Set("ZK_FAKE_BELOW", harness.Build(t, "libzk_app_utils.so"))
	f.Set("ZK_FAKE_CALLS", f.calls)
	f.Set("ZK_FAKE_WAYS", f.ways)
	f.Settings(fmt.Sprintf("[log]\nto = %q\n", f.log))
	f.answers()
	return f
}

// library builds the library without the functions that it is to lack.
func library(t *testing.T, lacks []string) string {
	t.Helper()
	harness.Need(t, "cc")
	flags := []string{"-D_GNU_SOURCE", "-shared", "-fPIC", "testdata/ways.c"}
	if len(lacks) > 0 {
		script := filepath.Join(t.TempDir(), "lacks.map")
		text := fmt.Sprintf("{ local: %s; };\n", strings.Join(lacks, "; "))
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "-Wl,--version-script="+script)
	}
	return harness.Compile(t, "testdata/hand.c", flags...)
}

// answers has the library answer in these ways from now on, and in no others.
func (f *fake) answers(ways ...string) {
	f.t.Helper()
	if err := os.WriteFile(f.ways, []byte(strings.Join(ways, "\n")+"\n"), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// play has a process play a role with the module, and returns what it says of each step.
func (f *fake) play(role string) map[string]string {
	f.t.Helper()
	cmd := f.Role(role)
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("%s: %v\n%s", role, err, out)
	}
	steps := map[string]string{}
	for line := range strings.Lines(string(out)) {
		step, outcome, _ := strings.Cut(strings.TrimSpace(line), " ")
		steps[step] = outcome
	}
	return steps
}

// fill makes key pairs, of which the first has the ID "kept", and a foreign key "peer".
func (f *fake) fill(keys int) {
	f.t.Helper()
	f.Set("ZK_TEST_KEYS", fmt.Sprint(keys))
	f.play("fill")
}

// begin gives the home what another one has. To make it anew would take many keys of PINs for each row.
func (f *fake) begin(as *fake) {
	f.t.Helper()
	if out, err := exec.Command("cp", "-a", as.Dir+"/.", f.Dir).CombinedOutput(); err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
}

// called returns the calls of the library since it was last asked.
func (f *fake) called() []string {
	f.t.Helper()
	text, err := os.ReadFile(f.calls)
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	_ = os.Remove(f.calls)
	return strings.Fields(string(text))
}

// logged returns the lines of the log since it was last asked, without their times, each once.
func (f *fake) logged() []string {
	f.t.Helper()
	text, err := os.ReadFile(f.log)
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	_ = os.Remove(f.log)
	var lines []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		_, message, _ := strings.Cut(strings.TrimSpace(line), "]: ")
		if !seen[message] {
			lines, seen[message] = append(lines, line), true
		}
	}
	return lines
}

// tool runs a command of the tool, and returns its exit status and what it printed.
func (f *fake) tool(args ...string) (string, error) {
	return f.Try(harness.Build(f.t, "zk_pkcs11-util"), args...)
}
