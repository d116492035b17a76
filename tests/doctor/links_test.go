// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
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

// strayed is the directory of all users, which an administrator has given to the group of a server. In it are a link and a second
// name of what is precious, and a root key that its group reads.
const strayed = strayedToDaemon + `
cp -p "$DIR/precious" /var/lib/precious; ln -s /var/lib/precious /var/lib/zk_pkcs11/x.link; ln /var/lib/precious /var/lib/zk_pkcs11/x.name; touch /var/lib/zk_pkcs11/root.key; chmod 640 /var/lib/zk_pkcs11/root.key
cp -a "$HEALTHY" /var/lib/zk_pkcs11/a; chgrp -R daemon /var/lib/zk_pkcs11; chmod 2770 /var/lib/zk_pkcs11/a; chmod 660 /var/lib/zk_pkcs11/a/*.*`

// TestGroupOfAdministrator: --fix does not take the directory of all users from a group that an administrator has given it to, with
// one slot or with slots below it, and tells both ways. The command that gives it back follows nothing.
func TestGroupOfAdministrator(t *testing.T) {
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("a directory of all users takes root, and unshare")
	}
	makeTemplate(t)
	for name, slots := range map[string]string{"alone": "", "with slots": "[[slot]]\nname = \".\"\nstate = \".\"\n[[slot]]\nname = \"a\"\n"} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "state = \"/var/lib/zk_pkcs11\"\n"+slots)
			p.sh(`echo secret >"$DIR/precious"; chmod 600 "$DIR/precious"`)
			p.private, p.script = true, strayed
			const owners = `stat -c '%U:%G %a %n' /var/lib/precious /var/lib/zk_pkcs11 /var/lib/zk_pkcs11/*.* /var/lib/zk_pkcs11/a /var/lib/zk_pkcs11/a/*.*`
			out := p.sh(strayed + "\n" + owners + " >$DIR/before; zk_pkcs11-util doctor --fix || true; " + owners + " | diff $DIR/before -")
			for _, part := range []string{"/var/lib/zk_pkcs11 is of group daemon", `state_group = "daemon"`, "do    chgrp -R zk_pkcs11 /var/lib/zk_pkcs11 && "} {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(part), " ")) {
					t.Errorf("%q is missing in %s", part, out)
				}
			}
			f, _ := p.examine("", "").find("state-group-differs")
			out = p.sh(strayed + "\n" + f.Command + "; " + owners)
			for _, line := range []string{" 600 /var/lib/precious", "640 /var/lib/zk_pkcs11/root.key", "root:zk_pkcs11 660 /var/lib/zk_pkcs11/token.db"} {
				if !strings.Contains(out, line) {
					t.Errorf("%q is missing in %s", line, out)
				}
			}
		})
	}
}
