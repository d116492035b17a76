// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
)

// optionsWith are the options of a soft SCM that is set so.
func optionsWith(t *testing.T, settings string) soft.Options {
	t.Helper()
	c, err := config.Source{File: "/f", Text: settings, State: t.TempDir()}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatalf("%s: %v", settings, err)
	}
	d, err := OpenSoft(c, c.Slots[0], Process{})
	if err != nil {
		t.Fatalf("%s: %v", settings, err)
	}
	defer d.Close()
	return d.Options()
}

// defaultInDoc finds settings whose default stands in the table as it would be written.
var defaultInDoc = regexp.MustCompile("(?m)^\\| `(soft\\.[a-z_0-9]+)` \\| – \\| `([^`]+)` \\|")

// TestDefaults checks that to set a setting of the soft SCM to the default in its table
// changes nothing.
func TestDefaults(t *testing.T) {
	text, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	want := optionsWith(t, "")
	found := defaultInDoc.FindAllStringSubmatch(string(text), -1)
	if len(found) < 20 {
		t.Fatalf("only %d defaults found: has the table in docs/settings.md another form?", len(found))
	}
	for _, m := range found {
		name, value := m[1], m[2]
		if name == "soft.host" {
			continue // the table names the file in which it is
		}
		got := optionsWith(t, fmt.Sprintf("[soft]\n%s = %q\n", strings.TrimPrefix(name, "soft."), value))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %q is not its default:\n%+v\n%+v", name, value, got, want)
		}
	}
}
