// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// soaks reports whether to take the time for numbers that are enough for a release.
func soaks() bool { return os.Getenv("ZK_SOAK") != "" }

// furnished is a token with an RSA key, a private data object and a key in a slot, and the file with the public key
// of the first. Its words were shown.
type furnished struct {
	*tool
	words, public string
}

func newFurnished(t *testing.T) *furnished {
	t.Helper()
	harness.Need(t, "pkcs11-tool", "openssl")
	x := &furnished{tool: newTool(t, "")}
	_, errs := x.mustRun("", words("--init-token --slot 0 --label device --pin 12345678 --so-pin 87654321")...)
	if !strings.Contains(errs, "token recovery create --slot 0") {
		t.Errorf("a user who makes a token is told %q", errs)
	}
	x.pkcs11Tool("--keypairgen", "--key-type", "RSA:2048", "--label", "sealed", "--id", "0505")
	x.pkcs11Tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "slotted", "--id", "0606")
	secret := filepath.Join(t.TempDir(), "secret")
	x.public = secret + ".pub"
	if err := os.WriteFile(secret, []byte("a private object"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.pkcs11Tool("--write-object", secret, "--type", "data", "--private", "--label", "note")
	x.pkcs11Tool("--read-object", "--type", "pubkey", "--id", "0505", "--output-file", x.public)
	x.words = x.create()
	return x
}

// pkcs11Tool runs pkcs11-tool as the user.
func (x *tool) pkcs11Tool(args ...string) string {
	x.t.Helper()
	return x.home.Run("pkcs11-tool", append([]string{"--module", harness.Module(x.t), "--login", "--pin", harness.UserPIN}, args...)...)
}

// create returns the words as they are shown, numbers included.
func (x *tool) create(options ...string) string {
	x.t.Helper()
	out, errs := x.mustRun("", append(words("token recovery create --pin "+harness.UserPIN), options...)...)
	if !regexp.MustCompile(`(?s)^ 1 [a-z]+ .*\n21 .*24 [a-z]+ *\n$`).MatchString(out) || !strings.Contains(errs, "shown this once") {
		x.t.Fatalf("%q, %q", out, errs)
	}
	return out
}

// beside is a tool whose state directory has copies of files of this one's.
func (x *furnished) beside(patterns ...string) *furnished {
	x.t.Helper()
	other := &furnished{newTool(x.t, ""), x.words, x.public}
	x.copyTo(other, patterns...)
	return other
}

func (x *furnished) copyTo(other *furnished, patterns ...string) {
	x.t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(x.home.Dir, pattern))
		if err != nil || len(files) == 0 {
			x.t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(filepath.Join(other.home.Dir, filepath.Base(file)), content, 0o600)
			}
			if err != nil {
				x.t.Fatal(err)
			}
		}
	}
}

// opens reports whether the sealed key signs and the private object is there.
func (x *furnished) opens() (string, bool) {
	x.t.Helper()
	dir := x.t.TempDir()
	data, sig, note := filepath.Join(dir, "data"), filepath.Join(dir, "sig"), filepath.Join(dir, "note")
	if err := os.WriteFile(data, []byte("to be signed"), 0o600); err != nil {
		x.t.Fatal(err)
	}
	login := []string{"--module", harness.Module(x.t), "--login", "--pin", harness.UserPIN}
	for _, args := range [][]string{
		{"--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "0505", "--input-file", data, "--output-file", sig},
		{"--read-object", "--type", "data", "--label", "note", "--output-file", note},
	} {
		if out, err := x.home.Try("pkcs11-tool", append(login, args...)...); err != nil {
			return out, false
		}
	}
	x.home.Run("openssl", "dgst", "-sha256", "-verify", x.public, "-keyform", "DER", "-signature", sig, data)
	text, err := os.ReadFile(note)
	if err != nil || string(text) != "a private object" {
		x.t.Errorf("the private object is %q, %v", text, err)
	}
	return "", true
}

// TestRecovery: a token's files in the state directory of another soft SCM open nothing without the words,
// and everything with them. What was in a slot of the other SCM is told to be gone, and not missed afterwards.
func TestRecovery(t *testing.T) {
	t.Parallel()
	x := newFurnished(t)
	for name, beside := range map[string]*furnished{"another SCM": x.beside("token.*"), "no SCM": x.beside("token.*")} {
		if name == "another SCM" {
			blank := newTool(t, "")
			blank.scm("status")
			(&furnished{tool: blank}).copyTo(beside, "flash.db*", "root.key")
		}
		if _, opens := beside.opens(); opens {
			t.Fatalf("%s: it opens without the words", name)
		}
		out, _ := beside.mustRun(x.words, words("token recovery restore")...)
		if !strings.Contains(out, `The token "device" belongs to the SCM`) || !strings.Contains(out, "1 key of the SCM before is not in this one") ||
			!strings.Contains(out, "  key slot 16 \"slotted\"\n") || !strings.Contains(out, "key generate") {
			t.Errorf("%s: %q", name, out)
		}
		if out, opens := beside.opens(); !opens {
			t.Errorf("%s: %s", name, out)
		}
		if log := beside.pkcs11Tool("--list-objects"); strings.Contains(log, "error") || strings.Contains(log, "warning") || strings.Contains(log, "slotted") {
			t.Errorf("%s: %s", name, log)
		}
		if out, _ := beside.mustRun(x.words, words("token recovery restore")...); strings.Contains(out, "of the SCM before") {
			t.Errorf("%s, once more: %q", name, out)
		}
		if _, opens := beside.opens(); !opens {
			t.Errorf("%s: it does not open when it was bound once more", name)
		}
	}
	if _, opens := x.opens(); !opens {
		t.Error("the token itself does not open any more")
	}
}

// TestRecoveryRefuses: one line says what is wrong, and nothing is changed.
func TestRecoveryRefuses(t *testing.T) {
	t.Parallel()
	x := newFurnished(t)
	other := newFurnished(t)
	right := strings.FieldsFunc(x.words, func(r rune) bool { return r < 'a' || r > 'z' })
	wrong := append([]string{}, right...)
	wrong[6] = map[bool]string{true: "zebra", false: "zoo"}[wrong[6] == "zoo"]
	unknown := append([]string{}, right...)
	unknown[2] = "zzzzz"
	beside := x.beside("token.*")
	for input, why := range map[string]string{
		strings.Join(wrong, " "):           "word 7 is another one",
		strings.Join(unknown, "\n"):        `word 3: "zzzzz" is no word of BIP39`,
		other.words:                        "not those of this token",
		strings.Join(right[:20], " "):      "20 words are there",
		strings.Join(right, " ") + " more": "there are 25, and have to be 24",
	} {
		if out, errs, err := beside.run(input, words("token recovery restore")...); err == nil || !strings.Contains(errs, why) {
			t.Errorf("%s: %v, %q, %q", why, err, out, errs)
		}
	}
	if _, opens := beside.opens(); opens {
		t.Error("it opens with wrong words")
	}
	used := x.beside("token.*")
	other.copyTo(used, "flash.db*")
	if _, errs, err := used.run(x.words, words("token recovery restore")...); err == nil || !strings.Contains(errs, "belongs to another token") {
		t.Errorf("an SCM that is in use: %v, %q", err, errs)
	}
	if _, errs, err := newTool(t, "").run(x.words, words("token recovery restore")...); err == nil || !strings.Contains(errs, "there is no token to recover") {
		t.Errorf("without a token: %v, %q", err, errs)
	}
	if _, errs, err := x.run("", words("token recovery create --pin 0000")...); err == nil || !strings.Contains(errs, "the PIN is wrong") {
		t.Errorf("wrong PIN: %v, %q", err, errs)
	}
	if _, errs, err := x.run("no\n", words("token recovery create --pin 12345678")...); err == nil || !strings.Contains(errs, "nothing was done") {
		t.Errorf("not confirmed: %v, %q", err, errs)
	}
	x.mustRun(x.words, words("token recovery check")...)
	newer := x.create("--yes")
	if _, errs, err := x.run(x.words, words("token recovery check")...); err == nil || !strings.Contains(errs, "newer ones were made since") {
		t.Errorf("words of before: %v, %q", err, errs)
	}
	x.mustRun(newer, words("token recovery check")...)
	x.mustRun("", words("--init-token --yes --slot 0 --label device --pin 12345678 --so-pin 87654321")...)
	if _, errs, err := x.run(newer, words("token recovery check")...); err == nil || !strings.Contains(errs, "has no recovery key") {
		t.Errorf("after the token was made anew: %v, %q", err, errs)
	}
}

// TestRecoveryKilled kills the tool while it binds a token to another SCM, after calls that write, cut or sync files:
// at points that are spread over it, with ZK_SOAK after each. It opens, or does not until it is bound once more.
func TestRecoveryKilled(t *testing.T) {
	t.Parallel()
	harness.SoftOnly(t, harness.NoSeal)
	x := newFurnished(t)
	preload := harness.Compile(t, "../sharing/testdata/dies.c", "-shared", "-fPIC")
	stride := 47
	if soaks() {
		stride = 1
	}
	after := 1
	for x.killed(preload, after) {
		after += stride
	}
	t.Logf("it lives after %d calls", after)
	if after == 1 {
		t.Error("it was never killed")
	}
}

// killed kills the tool after a number of calls, and reports whether there were so many.
func (x *furnished) killed(preload string, after int) bool {
	x.t.Helper()
	beside := x.beside("token.*")
	whole := *beside.home
	for name, value := range map[string]string{
		"LD_PRELOAD": preload, "DIES_IN": beside.home.Dir, "DIES_TOLD": os.DevNull, "DIES_AFTER": strconv.Itoa(after),
	} {
		beside.home.Set(name, value)
	}
	_, _, err := beside.run(x.words, words("token recovery restore")...)
	beside.home = &whole
	out, opens := beside.opens()
	if err == nil && !opens {
		x.t.Errorf("it does not open: %s", out)
	}
	beside.mustRun(x.words, words("token recovery restore")...)
	if out, opens := beside.opens(); !opens {
		x.t.Errorf("killed after %d calls, and bound again: %s", after, out)
	}
	return err != nil
}
