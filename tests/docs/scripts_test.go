// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// scripts returns the shell scripts of the project.
func scripts(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(harness.Root(t), "scripts/*.sh"))
	if err != nil || len(list) == 0 {
		t.Fatalf("scripts: %v, %v", list, err)
	}
	return append(list, filepath.Join(harness.Root(t), ".ci/run"), filepath.Join(harness.Root(t), "packaging/cryptsetup/zk_pkcs11"))
}

func TestScriptsParse(t *testing.T) {
	for _, s := range scripts(t) {
		if out, err := exec.Command("bash", "-n", s).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s, err, out)
		}
	}
}

func TestScriptsAreClean(t *testing.T) {
	harness.Need(t, "shellcheck")
	args := append([]string{"--external-sources", "--shell=bash"}, scripts(t)...)
	cmd := exec.Command("shellcheck", args...)
	cmd.Dir = filepath.Join(harness.Root(t), "scripts")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
