// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixFollowsNothing: root mends in directories of others, and they have put links there, and a second name of a file.
func TestFixFollowsNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the files are those of two users: it takes root")
	}
	makeTemplate(t)
	for name, breaking := range map[string]string{
		"a link in place of a file":      `rm "$STATE/token.db-shm"; ln -s "$DIR/precious" "$STATE/token.db-shm"; chmod 600 "$STATE/token.db"; chgrp bin "$STATE"; chmod 2770 "$STATE"`,
		"a second name":                  `rm "$STATE/token.db-shm"; ln "$DIR/precious" "$STATE/token.db-shm"; chgrp bin "$STATE"; chmod 2770 "$STATE"`,
		"a link in place of a directory": `mv "$STATE" "$DIR/precious.d"; chmod 700 "$DIR/precious.d"; ln -s "$DIR/precious.d" "$STATE"`,
		"a file that is a device":        `rm "$STATE/token.db-shm"; mkfifo "$STATE/token.db-shm"; chgrp bin "$STATE"; chmod 2770 "$STATE"`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, ofDaemon)
			p.sh(daemonsOwn + `; echo secret >"$DIR/precious"; chmod 600 "$DIR/precious"; ` + breaking)
			before := precious(t, p.dir)
			r := p.examine("", "--fix")
			if len(r.Mended) == 0 {
				t.Errorf("nothing was tried: %+v", r.Findings)
			}
			if after := precious(t, p.dir); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// precious are the lines of what no link is to lead to.
func precious(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(listing(t, dir)) {
		if strings.Contains(line, "/precious") {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		t.Fatalf("%s has nothing precious", filepath.Base(dir))
	}
	return strings.Join(lines, "")
}
