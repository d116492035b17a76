// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManualCommand prints what the tool says of itself as the text of a man page, in Markdown.
// The packages are made with it; nobody else needs it.
func newManualCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "manual",
		Hidden: true,
		Short:  "Print the manual in Markdown",
		Args:   cobra.NoArgs,
		Run:    printManual,
	}
}

func printManual(c *cobra.Command, _ []string) { writeManual(c.OutOrStdout(), c.Root()) }

func writeManual(w io.Writer, root *cobra.Command) {
	fmt.Fprintf(w, "# NAME\n\n%s - %s\n\n", root.Name(), lowerFirst(root.Short))
	fmt.Fprintf(w, "# SYNOPSIS\n\n**%s** [*options*]\n\n**%[1]s** *command* [*options*] [*arguments*]\n\n", root.Name())
	fmt.Fprintf(w, "# OPTIONS\n\n")
	fmt.Fprintf(w, "%s\n\n", escaped(root.Long))
	writeOptions(w, root.NonInheritedFlags())
	fmt.Fprintf(w, "# EXAMPLES\n\n```\n%s\n```\n\n# COMMANDS\n\n", unindented(root.Example))
	writeCommands(w, root)
	io.WriteString(w, pinsInManual+exitInManual)
}

// pinsInManual says where PINs come from.
const pinsInManual = `# PINS

A PIN comes from the option that names its place, else from a credential of systemd, else from the user, who is asked.
**--pin-file**, **--pin-fd**, **--pin-env** and the forms **env:NAME** and **file:PATH** of **--pin** keep it out of the arguments;
**--so-pin**, **--new-pin** and **--from-pin** have the same. A file has one line, with or without its end.
Where the input is no terminal, the files *zk_pkcs11.pin* and *zk_pkcs11.so-pin* in *$CREDENTIALS_DIRECTORY* are read
(**LoadCredential=** in a unit). Through a pipe a PIN is a line, and a new one two of them.

`

// exitInManual says how the tool ends.
const exitInManual = `# JSON

**--json** prints one object. Its first field, *schema*, names its form and the version of that, such as
*zk_pkcs11-util.token-list/1*; *docs/tool.md* of the sources has the fields of each. *scm led* and *scm wallet list* print lists.

# EXIT STATUS

0
: It is done.

1
: It could not be done; the error output says why.

2
: The command line is wrong, or a PIN cannot be read from where it says. Nothing was done.

3
: It was not confirmed: the answer was not yes, or **--yes** is missing. Nothing was done.

4
: Of **import** alone: some objects did not come over. The table says of each why; what it calls imported is in the token.

`

// writeCommands writes the commands below c that do something, in the order of their names.
func writeCommands(w io.Writer, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "help" {
			continue
		}
		if sub.Runnable() {
			writeCommand(w, sub)
		}
		writeCommands(w, sub)
	}
}

func writeCommand(w io.Writer, c *cobra.Command) {
	fmt.Fprintf(w, "## %s\n\n", escaped(strings.TrimPrefix(usageLine(c), c.Root().Name()+" ")))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(w, "%s\n\n", escaped(text))
	if c.Example != "" {
		fmt.Fprintf(w, "```\n%s\n```\n\n", unindented(c.Example))
	}
	writeOptions(w, c.Flags())
}

func writeOptions(w io.Writer, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			kind = " *" + kind + "*"
		}
		fmt.Fprintf(w, "**--%s**%s\n: %s\n\n", f.Name, kind, escaped(usage))
	})
}

// escaped is text whose characters mean nothing to Markdown.
func escaped(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`).Replace(text)
}

// unindented is an example as it stands at the start of a line.
func unindented(example string) string {
	return strings.TrimPrefix(strings.ReplaceAll(example, "\n  ", "\n"), "  ")
}

// lowerFirst begins a text in the middle of a line.
func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
