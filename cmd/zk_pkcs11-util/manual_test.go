// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// TestManual: the page has every command that help shows, and no line of Markdown that is none.
func TestManual(t *testing.T) {
	var b strings.Builder
	writeManual(&b, newCommand())
	for _, want := range []string{
		"# NAME\n\nzk_pkcs11-util - manage the tokens", "**--use-zkslot** *N*\n: ", "\n## scm wallet create", "\n## token recovery create", "\n## version\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the manual has no %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "## manual") {
		t.Error("the manual has the command that prints it")
	}
}
