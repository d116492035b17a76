// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// defaultWidth is that of help where there is no terminal.
const defaultWidth = 80

// narrowest is a width in which the columns of help still have room.
const narrowest = 40

// helpWidth returns how many columns the terminal of a command has.
func helpWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return defaultWidth
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return defaultWidth
	}
	return max(width, narrowest)
}

// printHelp explains a command, wrapped at the width of the terminal.
func printHelp(c *cobra.Command, _ []string) {
	w := c.OutOrStdout()
	io.WriteString(w, helpText(c, helpWidth(w)))
}

// newHelpCommand makes the command that explains another: what it does not know is a mistake like any other.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{Use: "help [COMMAND]", Short: "Explain a command", Args: cobra.ArbitraryArgs, RunE: explainCommand}
}

func explainCommand(c *cobra.Command, words []string) error {
	at := c.Root()
	for _, word := range words {
		next := commandBelow(at, word)
		if next == nil {
			return unknownCommand(at, word)
		}
		at = next
	}
	at.InitDefaultHelpFlag()
	return at.Help()
}

// commandBelow returns the command of a name below another, or nil.
func commandBelow(c *cobra.Command, name string) *cobra.Command {
	for _, below := range c.Commands() {
		if below.Name() == name {
			return below
		}
	}
	return nil
}

// helpWriter writes help in a width.
type helpWriter struct {
	strings.Builder
	width int
}

func helpText(c *cobra.Command, width int) string {
	h := &helpWriter{width: width}
	h.paragraphs(orElse(c.Long, c.Short+"."))
	h.heading("Usage")
	if c.Runnable() && !hasCommandsOnly(c) {
		h.wrapped(usageLine(c), 2, 4)
	}
	if c.HasAvailableSubCommands() {
		h.wrapped(c.CommandPath()+" COMMAND [options]", 2, 4)
	}
	if c.Example != "" {
		h.heading("Examples")
		h.WriteString(c.Example + "\n")
	}
	h.commands(c)
	h.options("Options", c.LocalFlags())
	h.options("Options of all commands of this group", c.InheritedFlags())
	if c.HasAvailableSubCommands() {
		h.WriteByte('\n')
		h.wrapped(c.CommandPath()+" COMMAND --help explains a command.", 0, 0)
	}
	return h.String()
}

// hasCommandsOnly reports whether a command does nothing but to hold others.
func hasCommandsOnly(c *cobra.Command) bool {
	return c.HasParent() && c.HasSubCommands() && c.Example == ""
}

// usageLine is how a command is called.
func usageLine(c *cobra.Command) string {
	return strings.Replace(c.UseLine(), "[flags]", "[options]", 1)
}

func (h *helpWriter) heading(text string) { fmt.Fprintf(h, "\n%s:\n", text) }

// paragraphs writes text whose paragraphs are apart from each other by an empty line.
func (h *helpWriter) paragraphs(text string) {
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			h.WriteByte('\n')
		}
		h.wrapped(p, 0, 0)
	}
}

// wrapped writes text in lines no longer than the width, the first and those that follow indented.
func (h *helpWriter) wrapped(text string, first, rest int) {
	h.WriteString(strings.Repeat(" ", first))
	at := first
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > h.width:
			h.WriteString("\n" + strings.Repeat(" ", rest))
			at = rest
		default:
			h.WriteByte(' ')
			at++
		}
		h.WriteString(word)
		at += n
	}
	h.WriteByte('\n')
}

// row writes a name, and beside it or below what it means.
func (h *helpWriter) row(name, meaning string, column int) {
	if len(name)+3 > column {
		fmt.Fprintf(h, "  %s\n", name)
		h.wrapped(meaning, column, column)
		return
	}
	fmt.Fprintf(h, "  %-*s", column-2, name)
	wrapped := &helpWriter{width: h.width}
	wrapped.wrapped(meaning, column, column)
	h.WriteString(strings.TrimLeft(wrapped.String(), " "))
}

// Columns in which the meanings begin.
const (
	commandColumn = 16
	optionColumn  = 24
)

func (h *helpWriter) commands(c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	h.heading("Commands")
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			h.row(below.Name(), below.Short, commandColumn)
		}
	}
}

func (h *helpWriter) options(heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	h.heading(heading)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		h.row(strings.TrimSpace("--"+f.Name+" "+kind), usage+defaultText(f), optionColumn)
	})
}

// withExample gives a command an example.
func withExample(line string, c *cobra.Command) *cobra.Command {
	c.Example = "  zk_pkcs11-util " + line
	return c
}

// defaultText tells what holds without an option, unless that is nothing.
func defaultText(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "false", "[]":
		return ""
	}
	return fmt.Sprintf(" (without it: %s)", f.DefValue)
}
