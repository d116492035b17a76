// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// newcomers are the lines of README that scripts/newcomer.sh does.
var newcomers = regexp.MustCompile("(?ms)^<!-- run by scripts/newcomer.sh -->\n```sh\n(.*?)^```$")

// The transcripts are of the lines that README has now.
func TestTranscriptsAreOfTheReadme(t *testing.T) {
	block := newcomers.FindStringSubmatch(read(t, readme(t)))
	if block == nil {
		t.Fatal("README has no lines for scripts/newcomer.sh")
	}
	files, err := filepath.Glob(filepath.Join(harness.Root(t), "docs/transcripts/*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		text := strings.ReplaceAll(read(t, file), "\n# ", "\n")
		for line := range strings.Lines(block[1]) {
			if !strings.Contains(text, "\n"+line) {
				t.Errorf("%s has not the line %qof README: run scripts/newcomer.sh again", filepath.Base(file), line)
			}
		}
	}
}
