// SPDX-License-Identifier: Apache-2.0

package util

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// keyTool is the tool with a token "web", and a folder for files.
type keyTool struct {
	*tool
	dir string
}

func newKeyTool(t *testing.T) *keyTool {
	t.Helper()
	x := &keyTool{newAnyTool(t, ""), t.TempDir()}
	x.mustRun("", words("--init-token --slot 0 --label web --pin 12345678 --so-pin 87654321")...)
	return x
}

// file is a path in the folder.
func (x *keyTool) file(name string) string { return filepath.Join(x.dir, name) }

// user runs a command of the token's user, which must end well, and returns what it printed.
func (x *keyTool) user(line string, more ...string) string {
	x.t.Helper()
	out, _ := x.mustRun("", append(words(line+" --token web --pin 12345678"), more...)...)
	return out
}

// refuses runs a command of the token's user that must end badly, and tell all these parts.
func (x *keyTool) refuses(input, line string, parts ...string) {
	x.t.Helper()
	out, errs, err := x.run(input, append(words(line), "--token", "web", "--pin", "12345678")...)
	if err == nil {
		x.t.Errorf("%s ended well:\n%s%s", line, out, errs)
	}
	for _, part := range parts {
		if !strings.Contains(errs, part) {
			x.t.Errorf("%s does not say %q but %q", line, part, errs)
		}
	}
}

// judge runs another program, which must end well, and returns what it printed.
func (x *keyTool) judge(line string, more ...string) string {
	x.t.Helper()
	all := append(words(line), more...)
	return x.home.Run(all[0], all[1:]...)
}

// keyReport is what "key list --json" prints.
type keyReport struct {
	Schema string     `json:"schema"`
	Token  string     `json:"token"`
	Slot   uint       `json:"slot"`
	Keys   []keyEntry `json:"keys"`
}

type keyEntry struct {
	Label        string             `json:"label"`
	ID           string             `json:"id"`
	Type         string             `json:"type"`
	KeySlot      *int               `json:"key_slot"`
	Sealed       bool               `json:"sealed"`
	Hidden       bool               `json:"hidden"`
	URI          string             `json:"uri"`
	Certificates []certificateEntry `json:"certificates"`
}

type certificateEntry struct {
	Label    string    `json:"label"`
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	Names    []string  `json:"names"`
	NotAfter time.Time `json:"not_after"`
	HasKey   bool      `json:"has_key"`
	URI      string    `json:"uri"`
}

// keys are the keys of the token by their labels.
func (x *keyTool) keys(line string) map[string]keyEntry {
	x.t.Helper()
	var r keyReport
	x.decode(x.mustOut(line), &r)
	if r.Schema != "zk_pkcs11-util.key-list/1" || r.Token != "web" || r.Slot != 0 {
		x.t.Errorf("the list is %q of %q in slot %d", r.Schema, r.Token, r.Slot)
	}
	all := map[string]keyEntry{}
	for _, k := range r.Keys {
		all[k.Label] = k
	}
	return all
}

func (x *keyTool) mustOut(line string) string {
	x.t.Helper()
	out, _ := x.mustRun("", words(line)...)
	return out
}

// decode reads JSON that has no members but those of the value.
func (x *keyTool) decode(text string, to any) {
	x.t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		x.t.Fatalf("%v in\n%s", err, text)
	}
}

// TestKeysOfEachType: each type is made where it belongs, listed by its name, and found by other programs.
func TestKeysOfEachType(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newKeyTool(t)
	types := []struct {
		option, name  string
		sealed, login bool
	}{
		{"p256", "P-256", false, false}, {"secp256k1", "secp256k1", false, false}, {"ed25519", "Ed25519", false, false}, {"x25519", "X25519", false, false},
		{"rsa2048", "RSA-2048", true, false}, {"rsa3072", "RSA-3072", true, false}, {"P-384", "P-384", true, false}, {"p521", "P-521", true, false},
		{"aes128", "AES-128", true, true}, {"AES256", "AES-256", true, true}, {"hmac256", "secret-256", true, true}, {"mldsa65", "ML-DSA-65", true, false},
	}
	for _, test := range types {
		uri := strings.TrimSpace(x.user("key generate --type " + test.option + " --label " + test.option))
		if !strings.HasPrefix(uri, "pkcs11:token=web;id=%") || strings.Contains(uri, "\n") {
			t.Errorf("%s: the output is not one URI but %q", test.option, uri)
		}
		k, listed := x.keys("key list --json --token web --login --pin 12345678")[test.option]
		if !listed || k.Type != test.name || k.Sealed != test.sealed || (k.KeySlot == nil) != test.sealed || k.URI != uri {
			t.Errorf("%s is listed as %+v (%v), its URI was %s", test.option, k, listed, uri)
		}
		if _, open := x.keys("key list --json --token web")[test.option]; open == test.login {
			t.Errorf("%s: shown without a login: %v", test.option, open)
		}
	}
	seen := x.judge("pkcs11-tool --login --pin 12345678 -O --module", harness.Module(t))
	for _, test := range types {
		if !strings.Contains(seen, "label:      "+test.option+"\n") {
			t.Errorf("pkcs11-tool does not list %s:\n%s", test.option, seen)
		}
	}
}

// TestKeyListText: at a glance, with the permanent slots of the SCM.
func TestKeyListText(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	x.user("key generate --type p256 --label www --id 0001")
	x.user("key self-cert --label www --days 10 --store")
	until := time.Now().AddDate(0, 0, 10).UTC().Format(time.DateOnly)
	out := x.mustOut("key list --token web")
	for _, line := range []string{"LABEL ID TYPE PLACE CERTIFICATE", "SCM slot 0 00 P-256 key slot 0 -", "SCM slot 15 0f Ed25519 key slot 15 -", "www 0001 P-256 key slot 16 until " + until} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	if only := x.mustOut("key list --token web --label www"); strings.Count(only, "\n") != 2 {
		t.Errorf("--label www shows\n%s", only)
	}
}

// TestPublicKeyForms: openssl and ssh-keygen read the same key in each form, and a JSON Web Key is that key.
func TestPublicKeyForms(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl", "ssh-keygen")
	x := newKeyTool(t)
	for _, kind := range []string{"p256", "p384", "p521", "ed25519", "rsa2048", "x25519", "secp256k1"} {
		x.user("key generate --type " + kind + " --label " + kind)
		x.mustOut("key public --token web --label " + kind + " --out " + x.file("key.pem"))
		x.judge("openssl pkey -pubin -noout -in", x.file("key.pem"))
		x.checkWebKey(kind, x.mustOut("key public --format jwk --token web --label "+kind))
		if kind == "x25519" || kind == "secp256k1" {
			x.refuses("", "key public --format ssh --label "+kind, "ssh has no keys of the type")
			continue
		}
		x.mustOut("key public --format ssh --token web --label " + kind + " --out " + x.file("key.pub"))
		fingerprint := x.judge("ssh-keygen -l -f", x.file("key.pub"))
		if !strings.Contains(fingerprint, "SHA256:") || !strings.Contains(fingerprint, kind) {
			t.Errorf("%s: ssh-keygen says %q", kind, fingerprint)
		}
		if kind == "ed25519" {
			continue // which ssh-keygen exports in no other form
		}
		if text, again := x.read("key.pem"), x.judge("ssh-keygen -e -m PKCS8 -f", x.file("key.pub")); again != text {
			t.Errorf("%s: ssh-keygen reads another key:\n%s, not\n%s", kind, again, text)
		}
	}
}

func (x *keyTool) read(name string) string {
	x.t.Helper()
	b, err := os.ReadFile(x.file(name))
	if err != nil {
		x.t.Fatal(err)
	}
	return string(b)
}

// checkWebKey compares a JSON Web Key with the key in key.pem.
func (x *keyTool) checkWebKey(kind, text string) {
	x.t.Helper()
	got := map[string]string{}
	x.decode(text, &got)
	block, _ := pem.Decode([]byte(x.read("key.pem")))
	want := webKey(block.Bytes)
	if len(got) != len(want) {
		x.t.Errorf("%s: the JSON Web Key has other members: %v, not %v", kind, got, want)
	}
	for member, value := range want {
		if got[member] != value {
			x.t.Errorf("%s: %s is %q, want %q", kind, member, got[member], value)
		}
	}
}

// webKey makes a JSON Web Key by other means than the tool.
func webKey(der []byte) map[string]string {
	coded := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil { // Go does not know secp256k1; its point is at the end
		point := der[len(der)-64:]
		return map[string]string{"kty": "EC", "crv": "secp256k1", "x": coded(point[:32]), "y": coded(point[32:])}
	}
	switch k := parsed.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil
		}
		half := len(point) / 2
		return map[string]string{"kty": "EC", "crv": k.Curve.Params().Name, "x": coded(point[1 : 1+half]), "y": coded(point[1+half:])}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": coded(k)}
	case *ecdh.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "X25519", "x": coded(k.Bytes())}
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "n": coded(k.N.Bytes()), "e": coded(big.NewInt(int64(k.E)).Bytes())}
	}
	return nil
}

// TestFurtherNamesOfKeys: a key in a slot goes by its further name as by the first, and the name goes alone.
func TestFurtherNamesOfKeys(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	if uri := x.user("key name 0 --label iotkey --id 0001"); uri != "pkcs11:token=web;id=%00%01;type=private\n" {
		t.Errorf("the URI is %q", uri)
	}
	x.user("key name 0 --label second --id 0002")
	keys := x.keys("key list --json --token web")
	if first, second := keys["iotkey"], keys["second"]; *first.KeySlot != 0 || *second.KeySlot != 0 || second.ID != "0002" {
		t.Errorf("the names are %+v and %+v", first, second)
	}
	x.refuses("no\n", "key delete --label second", `loses the name "second" with the id 0002, and stays`)
	x.user("key delete --yes --label second")
	if keys = x.keys("key list --json --token web"); keys["iotkey"].ID != "0001" || len(keys) != 16 {
		t.Errorf("left are %+v", keys)
	}
	x.user("key generate --label own --id 0100")
	slot := *x.keys("key list --json --token web")["own"].KeySlot
	x.user("key name " + big.NewInt(int64(slot)).String() + " --label more --id 0101")
	x.refuses("", "key delete --yes --label own", "further names")
}

// TestNamingKeys: by label, by id and by URI, and never by what fits two.
func TestNamingKeys(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	uri := strings.TrimSpace(x.user("key generate --label www --id 0a:0B"))
	x.user("key generate --label www --id 0c00")
	pem := x.mustOut("key public --token web --id 0a0b")
	for _, line := range []string{"key public --slot 0 --id %0A%0B", "key public " + uri, "key public " + uri + "?pin-source=/dev/null", "key public pkcs11:object=www;id=%0a%0b --slot 0"} {
		if got := x.mustOut(line); got != pem {
			t.Errorf("%s: it is another key", line)
		}
	}
	x.refuses("", "key public --label www", `2 keys have the label "www"`, "--id 0a0b  P-256, key slot 16", "--id 0c00  P-256, key slot 17")
	for _, test := range []struct{ line, says string }{
		{"key public", "name a key by --id, by --label or by its pkcs11: URI"},
		{"key public www", "is no pkcs11: URI; a label is given by --label"},
		{"key public --id xyz", "is not hexadecimal"},
		{"key public --label www --format der", "the forms are pem, ssh and jwk"},
		{"key public pkcs11:token=other;id=%01", `the URI is of the token "other"`},
		{"key public pkcs11:id=%zz", "two hexadecimal digits"},
		{"key public pkcs11:colour=red", `has no "colour"`},
		{"key public " + uri + " --id 01", "leave out --label and --id"},
		{"key generate --type rsa1024 --label x", "the types are p256"},
		{"key generate --type p256", "needs --label"},
		{"key generate --label x --id 0c00", "has the --id 0c00 already"},
		{"key generate --label x --key-slot 3", "key slot 3 is taken"},
		{"key name --label x", "the number of one key slot"},
		{"key name one --label x", "is no number of a key slot"},
		{"key name 1 --id 0d", "needs --label"},
		{"key name 600 --label x", "there is no key slot 600"},
	} {
		x.refuses("", test.line, test.says)
	}
}

// TestFormsOfAnswers: what a command does is told as JSON, too, by a form with a name.
func TestFormsOfAnswers(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	for _, test := range []struct{ line, form, member string }{
		{"key generate --label a --id 0a00", "key/1", `"key_slot": 16`},
		{"key name 7 --label b --id 0b00", "key/1", `"uri": "pkcs11:token=web;id=%0B%00;type=private"`},
		{"key self-cert --id 0a00 --out " + x.file("a.pem"), "", ""},
		{"cert import " + x.file("a.pem"), "cert-import/1", `"imported": true`},
		{"cert import " + x.file("a.pem"), "cert-import/1", `"imported": false`},
		{"cert delete --yes --id 0a00", "cert-deleted/1", `"has_key": true`},
		{"key delete --yes --id 0a00", "key-deleted/1", `"id": "0a00"`},
	} {
		if test.form == "" {
			x.user(test.line)
			continue
		}
		out := x.user(test.line + " --json")
		if !json.Valid([]byte(out)) || !strings.HasPrefix(out, "{\n  \"schema\": \"zk_pkcs11-util."+test.form+"\",\n") || !strings.Contains(out, test.member) {
			t.Errorf("%s prints\n%s", test.line, out)
		}
	}
}

// TestHowKeyCommandsEnd: a wrong command line, a no, and what could not be done are told apart.
func TestHowKeyCommandsEnd(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	x.user("key generate --label k")
	for line, code := range map[string]int{
		"key generate --type rsa1024 --label x": 2, "key public": 2, "key public --id zz": 2, "key csr --label k --profile web": 2, "cert import": 2, "snippet": 2,
		"cert export --label k --format txt": 2, "key delete --label k": 3, "key public --label none": 1, "cert export --label none": 1,
		"key public --label k": 0, "snippet nginx --label k": 0,
	} {
		_, errs, err := x.run("12345678\nno\n", words(line)...)
		var exit *exec.ExitError
		if code == 0 && err != nil || code != 0 && (!errors.As(err, &exit) || exit.ExitCode() != code) {
			t.Errorf("%s: %v, want %d: %s", line, err, code, errs)
		}
	}
}

// TestLabelsOfOthers: what somebody else has written into a label does nothing to the terminal.
func TestLabelsOfOthers(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	x.user("key generate --id 0f00", "--label", "a\x1b[31m\nb\u202ec")
	out := x.mustOut("key list --id 0f00")
	if strings.ContainsAny(out, "\x1b\u202e") || strings.Count(out, "\n") != 2 {
		t.Errorf("the list is %q", out)
	}
	if k := x.keys("key list --json --id 0f00"); len(k) != 1 || k["a\x1b[31m\nb\u202ec"].ID != "0f00" {
		t.Errorf("as JSON it is %+v", k)
	}
}

// TestCompletions: a shell is told the words that an option or a command takes.
func TestCompletions(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	for line, want := range map[string]string{
		"key generate --type p": "p256 secp256k1 ed25519", "key public --format j": "pem ssh jwk", "cert export --format d": "pem der", "key csr --profile c": "server client ca", "snippet ng": "nginx",
	} {
		out, _ := x.mustRun("", append([]string{"__complete"}, words(line)...)...)
		list, _, _ := strings.Cut(out, "\n:")
		if got := strings.Join(words(list), " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s is completed to %q, want %q", line, got, want)
		}
	}
}

// TestLookingForKeysMakesNothing: where no token is, none is made by a command that looks for its keys.
func TestLookingForKeysMakesNothing(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	state := filepath.Join(x.home.Dir, "none")
	x.home.Set("ZK_PKCS11_HOME", state)
	for _, line := range []string{"key list", "key list --json", "cert list", "key public --id 00", "cert export --id 00", "snippet nginx --id 00"} {
		if _, errs, err := x.run("", words(line)...); err == nil || !strings.Contains(errs, `there is no token in slot 0 yet; "token init" makes one`) {
			t.Errorf("%s: %v, %q", line, err, errs)
		}
	}
	if entries, err := os.ReadDir(state); err == nil {
		t.Errorf("there is a state directory with %d files", len(entries))
	}
}
