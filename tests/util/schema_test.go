// SPDX-License-Identifier: Apache-2.0

package util

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestSchemas: what is printed as JSON has a schema, and docs/tool.md has each of its fields in the row of that.
func TestSchemas(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	rows := schemaRows(pageText(t, "docs/tool.md"))
	for _, line := range []string{
		"token list", "token init --label device --pin 12345678 --so-pin 87654321", "token list",
		"token pin --pin 12345678 --new-pin 12345678", "token unlock --so-pin 87654321 --new-pin 12345678", "version",
		"scm wallet create savings --recovery slip39 --pin 12345678", "scm wallet create more --pin 12345678", "scm wallet child more m/1h --pin 12345678",
		"scm slots", "scm status", "scm manifest list", "scm inject fatal 8", "scm inject boot", "token delete --slot 0 --yes",
	} {
		out, _ := x.mustRun("", append(words(line), "--json")...)
		var result map[string]any
		if err := json.Unmarshal([]byte(out), &result); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		schema, _ := result["schema"].(string)
		row := rows[strings.TrimPrefix(schema, "zk_pkcs11-util.")]
		delete(result, "schema")
		for _, field := range fieldsOf(result) {
			if !strings.Contains(row, "`"+field+"`") {
				t.Errorf("%s prints %q, and the page says no %s of it", line, schema, field)
			}
		}
	}
}

// schemaRows returns the rows of the page's table by the schemas that they are about. A row that has the
// fields of those above says so by the word "those".
func schemaRows(page string) map[string]string {
	rows, above := map[string]string{}, ""
	for line := range strings.Lines(section(page, "## JSON\n")) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.HasPrefix(line, "| `") {
			continue
		}
		if strings.HasPrefix(cells[2], "those") {
			cells[2] += above
		}
		for _, name := range strings.Split(strings.TrimPrefix(cells[0], "| "), ", ") {
			rows[strings.Trim(name, "`")] = cells[2]
		}
		above = cells[2]
	}
	return rows
}

// fieldsOf returns the names of all fields in a value.
func fieldsOf(value any) (names []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, field := range v {
			names = append(append(names, name), fieldsOf(field)...)
		}
	case []any:
		for _, element := range v {
			names = append(names, fieldsOf(element)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
