// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of the documentation anew")

const (
	readme = "../../../../README.md" // has what an administrator sets
	page   = "../../../../docs/settings.md"
)

// line is the row of a setting in a table of the documentation.
func (r Row) line() string {
	shown := r.Shown
	if shown == "" {
		shown = "`" + r.Default + "`"
	}
	return fmt.Sprintf("%s – | %s | %s |\n", r.begin(), shown, r.Meaning)
}

func (r Row) begin() string { return fmt.Sprintf("| `soft.%s` |", r.Name) }

// TestPages: docs/settings.md has the table of the settings, but for the first, which the
// README has.
func TestPages(t *testing.T) {
	var s Settings
	rows := s.Table()
	check(t, readme, rows[:1])
	check(t, page, rows[1:])
}

// check compares the rows that are in a document.
func check(t *testing.T, path string, rows []Row) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	var want strings.Builder
	for _, r := range rows {
		want.WriteString(r.line())
	}
	start, end := block(text, "| `soft.")
	if text[start:end] == want.String() {
		return
	}
	if *update {
		text = text[:start] + want.String() + text[end:]
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what the table says; run go test ./internal/scm/soft/settings -update", path)
}

// block is where the first lines are that follow one another and begin so.
func block(text, begin string) (start, end int) {
	start = max(0, strings.Index(text, "\n"+begin)+1)
	end = start
	for strings.HasPrefix(text[end:], begin) {
		end += strings.Index(text[end:], "\n") + 1
	}
	return start, end
}
