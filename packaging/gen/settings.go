// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// setting is a row of the tables.
type setting struct {
	name     string // with its table, such as log.level
	variable string // "" when there is none
	fallback string // what holds without it, in Markdown
	meaning  string // in Markdown
}

var (
	row      = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| (?:`([A-Z0-9_]+)`|–) \\| (.+) \\| (.+) \\|$")
	codeSpan = regexp.MustCompile("`([^`]*)`")
	link     = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	number   = regexp.MustCompile(`^[0-9]+$`)
)

// readSettings reads the tables, the administrator's first.
func readSettings(root string) ([]setting, error) {
	var list []setting
	for _, page := range []string{"README.md", "docs/settings.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			return nil, err
		}
		rows := row.FindAllStringSubmatch(string(text), -1)
		if len(rows) == 0 {
			return nil, fmt.Errorf("%s: no table of settings", page)
		}
		for _, m := range rows {
			list = append(list, setting{m[1], m[2], m[3], m[4]})
		}
	}
	return list, nil
}

// split returns the table of a setting, "" at the top of the file, and the key in it.
func (s setting) split() (table, key string) {
	table, key, found := strings.Cut(s.name, ".")
	if !found {
		return "", s.name
	}
	return table, key
}

// examples are the values of settings whose default cannot be written down.
var examples = map[string]string{
	"state_group":        "zk_pkcs11",
	"trace":              "/var/log/zk_pkcs11.trace",
	"zymbit.library":     "libzk_app_utils.so",
	"slot.backend":       "auto",
	"slot.state":         "scm0",
	"slot.show":          "bound",
	"slot.pool":          "scm1",
	"soft.max_random":    "512",
	"soft.max_lock":      "4096",
	"soft.serial_number": "0123456789abcdef",
}

// value is how the file writes the default, or an example.
func (s setting) value() (string, error) {
	text, found := examples[s.name]
	if !found {
		m := codeSpan.FindStringSubmatch(s.fallback)
		if m == nil {
			return "", fmt.Errorf("%s: the default %q has no value, and there is no example", s.name, s.fallback)
		}
		text = m[1]
	}
	if number.MatchString(text) && s.name != "soft.serial_number" || text == "true" || text == "false" {
		return text, nil
	}
	return strconv.Quote(text), nil
}

// words is Markdown without its marks.
func words(markdown string) string {
	return strings.ReplaceAll(link.ReplaceAllString(markdown, "$1"), "`", "")
}
