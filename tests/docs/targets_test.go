// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"regexp"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var (
	targetLine = regexp.MustCompile(`(?m)^([a-z0-9-]+)  +\S`)
	// make in a code span, or at the start of a line of code
	targetInDoc = regexp.MustCompile("(?m)(?:`|^    (?:sudo )?)make ([a-z0-9-]+)")
)

func TestTargetsOfTheDocumentsExist(t *testing.T) {
	harness.Need(t, "make")
	cmd := exec.Command("make", "--no-print-directory", "help")
	cmd.Dir = harness.Root(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, out)
	}
	targets := map[string]bool{}
	for _, m := range targetLine.FindAllStringSubmatch(string(out), -1) {
		targets[m[1]] = true
	}
	named := 0
	for _, d := range documents(t) {
		for _, m := range targetInDoc.FindAllStringSubmatch(d.text, -1) {
			named++
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which make help does not list", d.name(t), m[1])
			}
		}
	}
	if named == 0 {
		t.Error("no document names a target")
	}
}
