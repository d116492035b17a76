// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainUsage has command lines that are wrong told by what is wrong and what to do next, for a
// command and those below it.
func explainUsage(c *cobra.Command) {
	for _, below := range c.Commands() {
		explainUsage(below)
	}
	if c.Args != nil {
		c.Args = arguments{c.Args}.check
	}
	c.SetFlagErrorFunc(aboutOption)
}

// arguments is a rule for the arguments of a command.
type arguments struct{ rule cobra.PositionalArgs }

// check applies the rule, and says in words of our own when it is broken.
func (a arguments) check(c *cobra.Command, words []string) error {
	err := a.rule(c, words)
	if own := (*ending)(nil); err == nil || errors.As(err, &own) {
		return err // which says itself what is wrong
	}
	if c.HasSubCommands() && len(words) > 0 {
		if c.Name() == "import" && isThere(words[0]) {
			return kindMissing(c, words[0])
		}
		return unknownCommand(c, words[0])
	}
	wanted := strings.Join(strings.Fields(c.Use)[1:], " ")
	if wanted == "" {
		return usagef("%q takes no argument, and there is %q; leave it out (%s)", pathOf(c), strings.Join(words, " "), seeHelp(c))
	}
	return usagef("%q takes %s, and there is %s (%s)", pathOf(c), wanted, orElse(quoted(words), "nothing"), seeHelp(c))
}

func quoted(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", strings.Join(words, " "))
}

// pathOf returns the name of a command without that of the tool.
func pathOf(c *cobra.Command) string {
	if !c.HasParent() {
		return c.Name()
	}
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
}

// seeHelp says where a command is explained.
func seeHelp(c *cobra.Command) string { return c.CommandPath() + " --help explains it" }

func unknownCommand(c *cobra.Command, word string) error {
	text := fmt.Sprintf("unknown command %q", word)
	if c.HasParent() {
		text += fmt.Sprintf(" below %q", pathOf(c))
	}
	if near := nearestCommand(c, word); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	return usagef("%s (%s --help lists the commands)", text, c.CommandPath())
}

// nearestCommand returns, in quotes, the path of the command that is most likely meant: one below c, or else those of
// that very name elsewhere.
func nearestCommand(c *cobra.Command, word string) string {
	var names []string
	for _, below := range c.Commands() {
		if slices.Contains(below.SuggestFor, word) {
			return quoted([]string{pathOf(below)})
		}
		names = append(names, below.Name())
	}
	if near := nearest(word, names); near != "" {
		return fmt.Sprintf("%q", strings.TrimPrefix(c.CommandPath()+" "+near, c.Root().Name()+" "))
	}
	return strings.Join(namedElsewhere(c.Root(), word), " or ")
}

// namedElsewhere returns the paths, in quotes, of the commands with that very name.
func namedElsewhere(c *cobra.Command, word string) (paths []string) {
	for _, below := range c.Commands() {
		if below.Name() == word && below.IsAvailableCommand() {
			paths = append(paths, fmt.Sprintf("%q", pathOf(below)))
		}
		paths = append(paths, namedElsewhere(below, word)...)
	}
	return paths
}

// aboutOption says what is wrong with an option.
func aboutOption(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	var odd *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &odd):
		return usagef("%q is no option; one is of the form --name or --name=VALUE (%s)", odd.GetSpecifiedFlag(), seeHelp(c))
	case errors.As(err, &unknown):
		return unknownOption(c, unknown)
	case errors.As(err, &bad) && errors.Is(err, errRepeated):
		return usagef("--%s is given more than once, and takes one value; leave out all but one (%s)", bad.GetFlag().Name, seeHelp(c))
	case errors.As(err, &bare):
		kind, _ := pflag.UnquoteUsage(bare.GetFlag())
		return usagef("--%s needs a value: --%[1]s %s (%s)", bare.GetFlag().Name, kind, seeHelp(c))
	case errors.As(err, &bad):
		return usagef("--%s takes %s, and not %q (%s)", bad.GetFlag().Name, valueKind(bad.GetFlag()), bad.GetValue(), seeHelp(c))
	}
	return usagef("%w (%s)", err, seeHelp(c))
}

func unknownOption(c *cobra.Command, unknown *pflag.NotExistError) error {
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		return unknownLetter(c, short)
	}
	name := unknown.GetSpecifiedName()
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	text := fmt.Sprintf("unknown option --%s", name)
	if below := commandBelow(c, name); below != nil {
		return usagef("%s; %q is a command, without dashes (%s)", text, pathOf(below), seeHelp(below))
	}
	if near := nearest(name, names); near != "" {
		text += fmt.Sprintf("; did you mean --%s?", near)
	}
	return usagef("%s (%s --help lists the options)", text, c.CommandPath())
}

// unknownLetter is about what follows a single dash.
func unknownLetter(c *cobra.Command, letters string) error {
	if letters[0] >= '0' && letters[0] <= '9' {
		return usagef("-%s is taken for an option; write -- before a negative number: %s -- -%[1]s", letters, c.CommandPath())
	}
	return usagef("unknown option -%s; options have two dashes and whole words (%s --help lists them)", letters, c.CommandPath())
}

// valueKind says what an option takes.
func valueKind(f *pflag.Flag) string {
	kind, known := map[string]string{
		"uint": "a number from 0 on", "uint16": "a number from 0 to 65535", "int": "a whole number", "bool": "no value, or true or false",
		"duration": "a time such as 30s or 2m",
	}[f.Value.Type()]
	if !known {
		return "another value"
	}
	return kind
}

// farthest is how many letters may be wrong in a word that is still recognised.
const farthest = 2

// nearest returns the word that is most like the one that was typed, or nothing.
func nearest(typed string, words []string) string {
	best, distance := "", farthest+1
	for _, w := range words {
		d := editDistance(typed, w)
		if len(typed) > farthest && strings.HasPrefix(w, typed) {
			d = 1
		}
		if d < distance && d < len(w) {
			best, distance = w, d
		}
	}
	return best
}

// editDistance returns how many letters have to be changed, added, taken away or exchanged with the next
// to make one word of the other.
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			rows[i][j] = leastEdits(rows, a, b, i, j)
		}
	}
	return rows[len(a)][len(b)]
}

func leastEdits(rows [][]int, a, b string, i, j int) int {
	change := 1
	if a[i-1] == b[j-1] {
		change = 0
	}
	least := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
	if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
		least = min(least, rows[i-2][j-2]+1)
	}
	return least
}
