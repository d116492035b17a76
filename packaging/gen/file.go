// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

const opening = `# Settings of libzk_pkcs11, see zk_pkcs11.toml(5). Each stands here with its default, or with an
# example where the default is no value, after "#". A variable of the environment overrides the file.
# A duration is written as "50ms", "90s" or "2m30s"; a bare number is seconds.
`

// tables are the parts of the file in their order: TOML has what is in no table first.
var tables = []struct{ name, about string }{
	{"", ""},
	{"log", ""},
	{"zymbit", "The SCM in hardware."},
	{"soft", "The SCM in software. All but seal tell what kind of SCM it emulates."},
	{"slot", "Each [[slot]] adds a slot; slot IDs count from 0 in their order. Without one there is slot 0,\n" +
		"# whose state is the state directory itself."},
}

// settingsFile is the file as it is installed: it changes nothing.
func settingsFile(list []setting) string {
	var b strings.Builder
	b.WriteString(opening)
	for _, table := range tables {
		if table.about != "" {
			fmt.Fprintf(&b, "\n# %s", table.about)
		}
		b.WriteString(header(table.name))
		for _, s := range list {
			if name, key := s.split(); name == table.name {
				writeSetting(&b, s, key)
			}
		}
	}
	return b.String()
}

// header begins a table. The slots' does not: it would make one.
func header(table string) string {
	switch table {
	case "":
		return ""
	case "slot":
		return "\n#[[slot]]\n"
	}
	return "\n[" + table + "]\n"
}

func writeSetting(b *strings.Builder, s setting, key string) {
	text := words(s.meaning)
	if s.variable != "" {
		text += ". Variable: " + s.variable
	}
	text += ". Default: " + strings.TrimRight(words(s.fallback), ".") + "."
	value, err := s.value()
	if err != nil {
		value = `""` // what a test of this package complains of
	}
	fmt.Fprintf(b, "\n%s#%s = %s\n", comment(text), key, value)
}

// comment breaks a text into lines of comments.
func comment(text string) string {
	var b strings.Builder
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
