// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// shown are the blocks of code that a document marks to be run.
var shown = regexp.MustCompile("(?ms)^<!-- run by tests/docs -->\n```sh\n(.*?)^```$")

// The commands of the README work, one after the other in one shell.
func TestReadmeCommands(t *testing.T) {
	harness.Need(t, "bash", "pkcs11-tool", "openssl", "gcc")
	var script strings.Builder
	for _, m := range shown.FindAllStringSubmatch(read(t, readme(t)), -1) {
		script.WriteString(m[1])
	}
	home := harness.NewHome(t)
	home.Set("TMPDIR", t.TempDir()) // the commands make their folder there
	build := filepath.Dir(harness.Module(t))
	harness.Build(t, "zk_pkcs11-util")
	harness.Build(t, "libzk_app_utils.so")
	include := filepath.Join(harness.Root(t), "include")
	cmd := home.Command("bash", "-euo", "pipefail", "-c", "ln -s '"+build+"' build\nln -s '"+include+"' include\n"+script.String())
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, printed := range []string{"Verified OK", "signed: 64 bytes, verified: 1"} {
		if !strings.Contains(string(out), printed) {
			t.Errorf("%q was not printed:\n%s", printed, out)
		}
	}
}
