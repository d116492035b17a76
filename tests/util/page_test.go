// SPDX-License-Identifier: Apache-2.0

package util

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"libzk_pkcs11/tests/harness"
)

// block is a block of commands on a page, and after it perhaps what they print.
var block = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$(?:\n```text\n(.*?)^```$)?")

// The commands of docs/scm.md work, one after the other in one shell, and print what
// the page shows; those on wallets also over the vendor's C API.
func TestPage(t *testing.T) {
	t.Parallel()
	text := pageText(t, "docs/scm.md")
	if harness.OverVendor() {
		text = section(text, "## Wallets\n")
	}
	runPage(t, text)
}

// So do those of docs/tool.md, whose screens fit into 80 columns.
func TestToolPage(t *testing.T) {
	t.Parallel()
	text := pageText(t, "docs/tool.md")
	runPage(t, text)
	for _, b := range block.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(b[2]) {
			if n := utf8.RuneCountInString(line); n > 81 {
				t.Errorf("%d columns: %s", n-1, line)
			}
		}
	}
}

func pageText(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// runPage runs the blocks of commands of a page.
func runPage(t *testing.T, text string) {
	t.Helper()
	harness.Need(t, "bash")
	blocks := block.FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("no commands on the page")
	}
	const mark = "@@ block "
	var script strings.Builder
	for i, b := range blocks {
		fmt.Fprintf(&script, "%s\necho '%s%d'\n", b[1], mark, i)
	}
	home := harness.NewHome(t)
	home.Set("PATH", filepath.Dir(harness.Build(t, "zk_pkcs11-util"))+":"+os.Getenv("PATH"))
	cmd := home.Command("bash", "-euc", script.String())
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for i, b := range blocks {
		printed, after, _ := strings.Cut(rest, fmt.Sprintf("%s%d\n", mark, i))
		if line, missing := firstMissing(b[2], printed); missing {
			t.Errorf("the page shows %q, which is not, or not in this place, in\n%s", line, printed)
		}
		rest = after
	}
}

// section is what stands on a page below a heading, up to the next.
func section(page, heading string) string {
	_, text, _ := strings.Cut(page, heading)
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// firstMissing returns the first line of shown that is not in out, where the lines
// come in the same order. It reports whether there is one. "..." stands for any text.
func firstMissing(shown, out string) (line string, missing bool) {
	for line := range strings.Lines(shown) {
		line = strings.TrimRight(line, "\n")
		pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, ".*") + "$"
		at := regexp.MustCompile(pattern).FindStringIndex(out)
		if at == nil {
			return line, true
		}
		out = out[at[1]:]
	}
	return "", false
}

func TestFirstMissing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ shown, out, want string }{
		{"", "anything", ""},
		{"b\nd\n", "a\nb\nc\nd\n", ""},
		{"d\nb\n", "a\nb\nc\nd\n", "b"},
		{"a...c\n", "a b c\n", ""},
		{"a...c\n", "a\nc\n", "a...c"},
		{"b\n", "abc\n", "b"},
	} {
		got, missing := firstMissing(test.shown, test.out)
		if got != test.want || missing != (test.want != "") {
			t.Errorf("%q in %q: %q is missing (%v), want %q", test.shown, test.out, got, missing, test.want)
		}
	}
}
