// SPDX-License-Identifier: Apache-2.0

package util

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
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
		"token list", "token init --label device --pin 12345678 --so-pin 87654321", "token list", "token bind 2 3 --pin 12345678",
		"token pin --pin 12345678 --new-pin 12345678", "token unlock --so-pin 87654321 --new-pin 12345678", "version",
		"scm wallet create savings --recovery slip39 --pin 12345678", "scm wallet create more --pin 12345678", "scm wallet child more m/1h --pin 12345678",
		"scm slots", "scm status", "scm pool", "scm manifest list", "scm inject fatal 8", "scm inject boot", "token delete --slot 0 --yes",
	} {
		x.checkSchema(rows, line)
	}
}

// TestSchemasOfKeys is TestSchemas for keys and certificates.
func TestSchemasOfKeys(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	rows := schemaRows(pageText(t, "docs/tool.md"))
	pin := " --pin 12345678"
	for _, line := range []string{"key generate --label www --id 0001", "key name 3 --label three --id 0003"} {
		x.checkSchema(rows, line+pin)
	}
	x.user("key self-cert --id 0001 --store --out " + x.file("first.pem"))
	x.user("key self-cert --id 0001 --out " + x.file("second.pem"))
	for _, line := range []string{
		"key list", "cert list", "cert import --replace " + x.file("second.pem") + pin, "cert delete --yes --id 0001" + pin,
		"cert import " + x.file("first.pem") + pin, "key delete --yes --id 0001" + pin,
	} {
		x.checkSchema(rows, line)
	}
}

// TestSchemasOfRecovery is TestSchemas for what is written down and brought back.
func TestSchemasOfRecovery(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	rows := schemaRows(pageText(t, "docs/tool.md"))
	x.bootFile("key.pem", newKeyPEM(t))
	x.checkSchema(rows, "token init --label device --pin 12345678 --so-pin 87654321")
	x.checkSchema(rows, "import pem --pin 12345678 "+filepath.Join(x.boot, "key.pem"))
	var told struct{ Words []string }
	out, _ := x.mustRun("", words("token recovery create --pin 12345678 --json")...)
	if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Words) != 24 {
		t.Fatalf("%v\n%s", err, out)
	}
	written := strings.Join(told.Words, " ") + "\n"
	x.checkAnswered(rows, written, "token recovery check")
	backup := filepath.Join(x.boot, "backup")
	x.checkSchema(rows, "token backup --pin 12345678 "+backup)
	x.checkSchema(rows, "token restore --pin 12345678 "+backup)
	x.checkAnswered(rows, written, "token recovery restore")
}

func newKeyPEM(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// checkSchema looks for the fields of what a command prints in the row of its schema.
func (x *tool) checkSchema(rows map[string]string, line string) {
	x.t.Helper()
	x.checkAnswered(rows, "", line)
}

// checkAnswered is checkSchema of a command with an input.
func (x *tool) checkAnswered(rows map[string]string, input, line string) {
	x.t.Helper()
	out, _ := x.mustRun(input, append(words(line), "--json")...)
	var result map[string]any
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		x.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	schema, _ := result["schema"].(string)
	row := rows[strings.TrimPrefix(schema, "zk_pkcs11-util.")]
	delete(result, "schema")
	for _, field := range fieldsOf(result) {
		if !strings.Contains(row, "`"+field+"`") {
			x.t.Errorf("%s prints %q, and the page says no %s of it", line, schema, field)
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
