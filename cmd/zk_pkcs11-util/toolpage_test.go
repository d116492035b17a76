// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the commands into docs/tool.md anew")

const toolPage = "../../docs/tool.md"

// TestToolPage: docs/tool.md has each command that does something, with an example.
func TestToolPage(t *testing.T) {
	text, err := os.ReadFile(toolPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), "<!-- commands -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end of commands -->\n")
	if !begins || !ends {
		t.Fatal("the page has no place for the commands")
	}
	page := before + "<!-- commands -->\n" + commandTable() + "<!-- end of commands -->\n" + after
	if *update {
		if err := os.WriteFile(toolPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != string(text) {
		t.Error("docs/tool.md does not have the commands that there are; go test ./cmd/zk_pkcs11-util -run ToolPage -update writes it")
	}
}

func commandTable() string {
	var b strings.Builder
	b.WriteString("| command | what it does | example |\n| --- | --- | --- |\n")
	for _, c := range allCommands(newCommand()) {
		if c.HasParent() && c.Runnable() && c.IsAvailableCommand() && c.Name() != "help" && (!c.HasSubCommands() || c.Example != "") {
			fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", pathOf(c), strings.ReplaceAll(c.Short, "|", `\|`), strings.ReplaceAll(exampleOf(c), "|", `\|`))
		}
	}
	return b.String()
}

// exampleOf is the first example of a command without the name of the tool, which may have none when it takes nothing.
func exampleOf(c *cobra.Command) string {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	if first == "" {
		first = c.CommandPath()
	}
	return strings.TrimPrefix(first, c.Root().Name()+" ")
}

// TestExamples: a command that takes something shows what.
func TestExamples(t *testing.T) {
	for _, c := range allCommands(newCommand()) {
		if c.IsAvailableCommand() && c.Name() != "help" && !c.HasSubCommands() && strings.Contains(c.Use, " ") && c.Example == "" {
			t.Errorf("%s shows no example", c.CommandPath())
		}
	}
}
