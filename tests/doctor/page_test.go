// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var update = flag.Bool("update", false, "write the screens of docs/doctor.md anew")

// asInstalled goes to a system of its own, in which settings and state are where a package has them.
const asInstalled = `mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work; mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
mount -t tmpfs none /var/lib; mount -t tmpfs -o size=512m none /usr/share; mkdir -p /usr/share/p11-kit/modules /etc/zk_pkcs11 /etc/pkcs11/modules; rm -f /etc/pkcs11/modules/*
mount -t tmpfs none /usr/local/lib; cp "$MODULE" /usr/local/lib/libzk_pkcs11.so
echo 'module: /usr/local/lib/libzk_pkcs11.so' >/usr/share/p11-kit/modules/zk_pkcs11.module
cp -a "$HEALTHY" /var/lib/zk_pkcs11; chgrp -R www-data /var/lib/zk_pkcs11; chmod 2770 /var/lib/zk_pkcs11; chmod 660 /var/lib/zk_pkcs11/*
echo 'state_group = "www-data"' >/etc/zk_pkcs11/zk_pkcs11.toml
unset ZK_PKCS11_HOME ZK_PKCS11_CONF ZK_PKCS11_BACKEND
tool() { zk_pkcs11-util "$@" || true; }
`

// sameTimes has a signature take the same time whenever the page is compared, before lines are folded.
const sameTimes = `sed -E 's/[0-9.]+ ms/0.1 ms/; s/signature=[0-9.]+/signature=0.000102/'`

// screens are what the page shows, by their names.
func screens() map[string]string {
	const wrong = "zk_pkcs11-util --use-zkslot 0 --label x --pin 0000 2>/dev/null || true; chgrp -R daemon /var/lib/zk_pkcs11; chmod 2770 /var/lib/zk_pkcs11\n"
	return map[string]string{
		"doctor of a healthy set-up":      "tool doctor",
		"doctor of a wrong group":         wrong + "tool doctor",
		"doctor that mends a wrong group": wrong + "tool doctor --fix",
		"check of a healthy set-up":       "tool check --key 'pkcs11:token=harness;object=SCM%20slot%200' --pin-file <(echo 12345678) | " + sameTimes + " | fold -s -w 80",
		"check of a wrong group":          wrong + "tool check | fold -s -w 80",
		"status":                          "tool scm status",
		"check for Prometheus":            "tool check --prometheus | grep -v '^#'",
	}
}

var (
	screenOfPage = regexp.MustCompile("(?ms)^<!-- screen: ([^\n]*) -->\n```text\n(.*?)^```$")
	serialNumber = regexp.MustCompile(`[0-9a-f]{16}`)
	timeOfSCM    = regexp.MustCompile(`[0-9-]{10} [0-9:]{8} UTC`)
	clockOfSCM   = regexp.MustCompile(`(zk_pkcs11_scm_time_seconds\{slot="0"\}) .*`)
)

// TestScreens: the page shows what the tool prints, and no line is wider than a screen but commands, which are copied.
func TestScreens(t *testing.T) {
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("the screens are those of a system of their own: it takes root, and unshare")
	}
	makeTemplate(t)
	file := filepath.Join(harness.Root(t), "docs/doctor.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	shown := screenOfPage.FindAllStringSubmatch(page, -1)
	var names []string
	for _, s := range shown {
		names = append(names, s[1])
		printed := printScreen(t, s[1])
		if *update {
			page = strings.Replace(page, s[0], strings.TrimSuffix(s[0], s[2]+"```")+printed+"```", 1)
		} else if printed != s[2] {
			t.Errorf("%s: the page shows\n%s\nand this is printed (go test ./tests/doctor -run Screens -update writes it there):\n%s", s[1], s[2], printed)
		}
	}
	for name := range screens() {
		if !slices.Contains(names, name) {
			t.Errorf("the page does not show %q", name)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func printScreen(t *testing.T, name string) string {
	t.Helper()
	script, known := screens()[name]
	if !known {
		t.Fatalf("the page shows %q, which is no screen", name)
	}
	p := newPatient(t, "")
	p.private = true
	if out, err := p.command(asInstalled + "true").CombinedOutput(); err != nil {
		t.Skipf("no system of its own can be made here: %v\n%s", err, out)
	}
	out := serialNumber.ReplaceAllString(p.sh(asInstalled+script), "0123456789abcdef")
	out = timeOfSCM.ReplaceAllString(out, "2026-11-27 15:00:00 UTC")
	out = clockOfSCM.ReplaceAllString(out, "$1 1.795790657e+09")
	for line := range strings.Lines(out) {
		if len([]rune(line)) > 81 && !strings.HasPrefix(line, "  do    ") && !strings.HasPrefix(line, "zk_pkcs11_") {
			t.Errorf("%s: %q is wider than 80 columns", name, line)
		}
	}
	return out
}

// TestFindingsOfPage: the page explains every finding that a set-up has.
func TestFindingsOfPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/doctor.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| finding |")
	for name, s := range setups() {
		if !strings.Contains(table, "`"+s.finding+"`") {
			t.Errorf("%s: the page does not explain %s", name, s.finding)
		}
	}
}
