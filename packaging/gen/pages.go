// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writePages writes the pages of packaging/man to a folder, with the settings where a line
// of theirs asks for them.
func writePages(root, folder string, list []setting) error {
	pages, err := filepath.Glob(filepath.Join(root, "packaging/man/*.md"))
	if err != nil || len(pages) == 0 {
		return fmt.Errorf("no pages in packaging/man: %w", err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		page := strings.Replace(string(text), "@SETTINGS@\n", settingsText(list), 1)
		page = strings.Replace(page, "@VARIABLES@\n", variablesText(list), 1)
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// settingsText has a section for each table of the file.
func settingsText(list []setting) string {
	var b strings.Builder
	for _, table := range tables {
		fmt.Fprintf(&b, "# %s\n\n", title(table.name))
		for _, s := range list {
			if name, key := s.split(); name == table.name {
				fmt.Fprintf(&b, "**%s**%s\n: %s. Default: %s.\n\n", key, inBrackets(s.variable), escaped(s.meaning), strings.TrimRight(escaped(s.fallback), "."))
			}
		}
	}
	return b.String()
}

func title(table string) string {
	switch table {
	case "":
		return "SETTINGS"
	case "slot":
		return "SETTINGS OF [[SLOT]]"
	}
	return "SETTINGS OF [" + strings.ToUpper(table) + "]"
}

func inBrackets(variable string) string {
	if variable == "" {
		return ""
	}
	return " (**" + variable + "**)"
}

func variablesText(list []setting) string {
	var b strings.Builder
	for _, s := range list {
		if s.variable != "" {
			fmt.Fprintf(&b, "**%s**\n: overrides the setting **%s**\n\n", s.variable, escaped(s.name))
		}
	}
	return b.String()
}

// escaped is a cell of a table without its links, and with values in italics: a man page has
// no other type for them.
func escaped(markdown string) string {
	text := link.ReplaceAllString(markdown, "$1")
	parts := strings.Split(text, "`")
	for i, part := range parts {
		part = strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "]", `\]`).Replace(part)
		if i%2 == 1 {
			part = "*" + part + "*"
		}
		parts[i] = part
	}
	return strings.Join(parts, "")
}
