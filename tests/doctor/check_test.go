// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bufio"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// check runs "check" and returns what it prints and its exit status.
func (p *patient) check(options string) (out, errs string, status int) {
	p.t.Helper()
	var stderr strings.Builder
	cmd := p.command(p.script + "\nexec " + p.around + " zk_pkcs11-util check " + options)
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		p.t.Fatal(err)
	}
	return string(text), stderr.String(), cmd.ProcessState.ExitCode()
}

const slotZero = `'pkcs11:token=harness;object=SCM%20slot%200'`

// TestCheck: one line, and the exit status of a plugin.
func TestCheck(t *testing.T) {
	makeTemplate(t)
	for name, c := range map[string]struct {
		breaking, shell, options string
		status                   int
		words                    []string
	}{
		"all is well":           {status: 0, words: []string{"ZK_PKCS11 OK - ", `token "harness"`, "16 of 528 key slots", " | ", "battery=3.1", "user_pin_tries=10;"}},
		"a signature":           {options: "--key " + slotZero + " --pin 12345678", status: 0, words: []string{"signed in ", "signature="}},
		"a key by its id":       {options: "--key 'pkcs11:id=%0E?pin-value=12345678'", status: 0, words: []string{"signed in "}},
		"a PIN in a file":       {shell: `echo 12345678 >"$DIR/pin"`, options: `--key "pkcs11:object=SCM%20slot%200?pin-source=file:$DIR/pin"`, status: 0, words: []string{"signed in "}},
		"a credential":          {shell: `mkdir -p "$DIR/c"; printf 12345678 >"$DIR/c/zk_pkcs11.pin"; export CREDENTIALS_DIRECTORY=$DIR/c`, options: "--key " + slotZero, status: 0, words: []string{"signed in "}},
		"no such key":           {options: "--key pkcs11:object=none --pin 12345678", status: 2, words: []string{"CRITICAL", "key: the token has no private key"}},
		"no such token":         {options: "--key 'pkcs11:token=none;object=x' --pin 12345678", status: 2, words: []string{"CRITICAL", "key: no token fits the URI"}},
		"a locked PIN":          {breaking: wrongPIN, options: "--key " + slotZero + " --pin 12345678", status: 2, words: []string{"CRITICAL - pin-locked: ", "by \"token unlock\""}},
		"a URI of no key":       {options: "--key pkcs11:token=harness --pin 12345678", status: 3, words: []string{"UNKNOWN", "names no key"}},
		"no URI":                {options: "--key www --pin 12345678", status: 3, words: []string{"UNKNOWN", "pkcs11: URI"}},
		"no PIN":                {options: "--key " + slotZero, status: 3, words: []string{"UNKNOWN", "--pin-file"}},
		"no file with a PIN":    {options: "--key " + slotZero + " --pin-file /nowhere", status: 3, words: []string{"UNKNOWN", "/nowhere"}},
		"an empty battery":      {breaking: "zk_pkcs11-util scm inject battery 2.1", status: 1, words: []string{"WARNING - battery-low: ", "battery=2.1"}},
		"no SCM":                {breaking: "zk_pkcs11-util scm inject unbind", status: 2, words: []string{"CRITICAL - scm-unbound: "}},
		"no SCM for a key":      {breaking: "zk_pkcs11-util scm inject unbind", options: "--key " + slotZero + " --pin 12345678", status: 2, words: []string{"CRITICAL - scm-unbound: "}},
		"no token":              {breaking: `rm -r "$STATE"`, status: 1, words: []string{"WARNING - token: slot 0 has no token"}},
		"settings with a fault": {breaking: `echo x >"$CONF"`, status: 2, words: []string{"CRITICAL - settings-invalid: "}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "")
			p.sh(orTrue(c.breaking))
			p.script = c.shell
			before := listing(t, p.dir)
			out, errs, status := p.check(c.options)
			if status != c.status || strings.Count(out, "\n") != 1 || strings.Count(out, "|") > 1 {
				t.Errorf("status %d, want %d:\n%s%s", status, c.status, out, errs)
			}
			for _, word := range c.words {
				if !strings.Contains(out, word) {
					t.Errorf("%q is not in %s", word, out)
				}
			}
			if strings.Contains(out+errs, harness.UserPIN) {
				t.Errorf("the PIN is in %s%s", out, errs)
			}
			if after := listing(t, p.dir); c.options == "" && after != before {
				t.Errorf("check has changed:\n%s", difference(before, after))
			}
		})
	}
}

// TestCheckMistakes: a mistake in the command line is UNKNOWN, and no CRITICAL that wakes somebody.
func TestCheckMistakes(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "")
	for _, options := range []string{"--kye x", "--key", "word", "--pin-fd x", "--prometheus=7"} {
		if out, errs, status := p.check(options); status != 3 || errs == "" {
			t.Errorf("%s: status %d: %s%s", options, status, out, errs)
		}
	}
}

// TestCheckKinds: keys of all kinds that sign.
func TestCheckKinds(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	makeTemplate(t)
	p := newPatient(t, "")
	for name, kind := range map[string]string{"rsa": "rsa:2048", "p256": "EC:prime256v1", "k256": "EC:secp256k1", "p384": "EC:secp384r1", "ed": "EC:edwards25519"} {
		p.sh(`pkcs11-tool --module "$MODULE" --login --pin 12345678 --keypairgen --key-type ` + kind + ` --label ` + name)
		if out, errs, status := p.check("--key pkcs11:object=" + name + " --pin 12345678"); status != 0 || !strings.Contains(out, "signed in ") {
			t.Errorf("%s: status %d: %s%s", name, status, out, errs)
		}
	}
}

// TestCheckLocksNoPIN: a user who gives a wrong PIN to a check that comes again and again loses one try, and is told the state
// until somebody has logged in.
func TestCheckLocksNoPIN(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "")
	for i := range 25 {
		out, errs, status := p.check("--key " + slotZero + " --pin 87651234")
		want := 1
		if i == 0 {
			want = 2
		}
		if status != want || strings.Contains(out+errs, "87651234") {
			t.Fatalf("check %d: status %d, want %d: %s%s", i, status, want, out, errs)
		}
	}
	if out, _, _ := p.check(""); !strings.Contains(out, "user_pin_tries=9;") {
		t.Errorf("after 25 checks: %s", out)
	}
	p.sh(`zk_pkcs11-util --use-zkslot 0 --label www --pin 12345678`)
	if out, errs, status := p.check("--key pkcs11:object=www --pin 12345678"); status != 0 {
		t.Errorf("after the right PIN: %d, %s%s", status, out, errs)
	}
}

// TestChecksAtOnce: many checks with a wrong PIN at the same time cost one try, too.
func TestChecksAtOnce(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "")
	p.sh(`for i in $(seq 25); do zk_pkcs11-util check --key ` + slotZero + ` --pin 87651234 >/dev/null & done; wait`)
	if out, _, _ := p.check(""); !strings.Contains(out, "user_pin_tries=9;") {
		t.Errorf("after 25 checks: %s", out)
	}
	p.sh(`zk_pkcs11-util --use-zkslot 0 --label www --pin 12345678; for i in $(seq 10); do { zk_pkcs11-util check --key pkcs11:object=www --pin 12345678 || echo failed >>"$DIR/failed"; } >/dev/null & done; wait; test ! -e "$DIR/failed"`)
}

// TestPrometheus: what is printed can be parsed, and has what there is.
func TestPrometheus(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "[[slot]]\nname = \"a\"\nstate = \".\"\n[[slot]]\nname = \"b\"\n")
	const label = `a"b\c|d`
	p.sh(`zk_pkcs11-util --init-token --yes --slot 1 --label '` + label + `' --pin 12345678 --so-pin 12345678; zk_pkcs11-util scm inject tamper 1; zk_pkcs11-util scm inject battery 2.75`)
	out, errs, status := p.check("--prometheus --key " + slotZero + " --pin 12345678")
	if status != 1 { // the breach
		t.Errorf("status %d: %s", status, errs)
	}
	families, err := parseExposition(out)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	for sample, want := range map[string]float64{
		"zk_pkcs11_status{}": 1, "zk_pkcs11_check_signature_success{}": 1,
		`zk_pkcs11_finding{level="warning",name="perimeter-breached"}`:      1,
		`zk_pkcs11_pin_tries_left{slot="1",user="so"}`:                      10,
		`zk_pkcs11_key_slots{slot="0"}`:                                     528,
		`zk_pkcs11_key_slots_used{slot="0"}`:                                16,
		`zk_pkcs11_battery_volts{slot="0"}`:                                 2.75,
		`zk_pkcs11_temperature_celsius{slot="1"}`:                           40,
		`zk_pkcs11_perimeter_event_timestamp_seconds{channel="0",slot="0"}`: 0,
		`zk_pkcs11_token_initialised{slot="1"}`:                             1,
	} {
		if is, there := families.samples[sample]; !there || is != want {
			t.Errorf("%s is %v, %v; want %v", sample, is, there, want)
		}
	}
	if !families.hasLabel("zk_pkcs11_token_info", "label", label) {
		t.Errorf("no token has the label %q in\n%s", label, out)
	}
	for _, family := range []string{"zk_pkcs11_scm_changes_total", "zk_pkcs11_processes", "zk_pkcs11_check_signature_seconds", "zk_pkcs11_scm_time_seconds"} {
		if families.kinds[family] == "" {
			t.Errorf("there is no %s", family)
		}
	}
}

// openToken is a program that has the token open, until it is killed.
const openToken = `import ctypes, os, time
module = ctypes.CDLL(os.environ["MODULE"])
slots, n = (ctypes.c_ulong * 4)(), ctypes.c_ulong(4)
assert module.C_Initialize(None) == 0 and module.C_GetSlotList(1, slots, ctypes.byref(n)) == 0 and n.value == 1
print("ready", flush=True)
time.sleep(600)`

// TestOneSlot: a slot, a label and a serial number name what is looked at.
func TestOneSlot(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "[[slot]]\nname = \"a\"\nstate = \".\"\n[[slot]]\nname = \"b\"\n")
	p.sh(`zk_pkcs11-util --init-token --yes --slot 1 --label other --pin 12345678 --so-pin 12345678; zk_pkcs11-util scm inject battery 2.1 --slot 1`)
	for options, want := range map[string]int{"": 1, "--slot 0": 0, "--slot 1": 1, "--token harness": 0, "--token other": 1, "--token none": 3, "--slot 7": 3, "--slot 0 --token other": 3} {
		if out, errs, status := p.check(options); status != want {
			t.Errorf("check %s: status %d, want %d: %s%s", options, status, want, out, errs)
		}
	}
	if r := p.examine("", "--token harness"); r.Status != 0 {
		t.Errorf("%+v", r)
	}
	if f, told := p.examine("", "--slot 1").find("battery-low"); !told || f.Slot == nil || *f.Slot != 1 || f.Command != "zk_pkcs11-util scm inject battery 3.1 --slot 1" {
		t.Errorf("%+v", f)
	}
}

// TestProcesses: a program that has the token open is counted, and no longer when it has ended.
func TestProcesses(t *testing.T) {
	harness.Need(t, "python3")
	makeTemplate(t)
	p := newPatient(t, "")
	program := p.command("exec python3 -c '" + openToken + "'")
	out, err := program.StdoutPipe()
	if err == nil {
		err = program.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	p.processes(1)
	_ = program.Process.Kill()
	_ = program.Wait() // it was killed
	p.processes(0)
}

// processes checks how many have the token open.
func (p *patient) processes(want float64) {
	p.t.Helper()
	out, errs, _ := p.check("--prometheus")
	families, err := parseExposition(out)
	if is, there := families.samples[`zk_pkcs11_processes{slot="0"}`]; err != nil || !there || is != want {
		p.t.Errorf("%v processes, want %v: %v\n%s%s", is, want, err, out, errs)
	}
}
