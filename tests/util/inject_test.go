// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestTamper(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	if out := x.scm("inject", "tamper", "0"); !strings.HasPrefix(out, "Perimeter channel 0 is breached\nLED: ") {
		t.Errorf("%q", out)
	}
	var s status
	x.parse(&s, "", "inject", "tamper", "1")
	for i, c := range s.Perimeter {
		if c.Event < s.Time-60 || c.Event > s.Time || !c.Notify || c.SelfDestruct {
			t.Errorf("channel %d at %d: %+v", i, s.Time, c)
		}
	}
	for _, channel := range []string{"2", "-1", "x"} {
		x.fails("", []string{"inject", "tamper", "--", channel}, "channels 0 and 1")
	}
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.scm("inject", "battery", "2.25")
	var s status
	x.parse(&s, "", "inject", "temperature", "--", "-12.5")
	if s.Battery.Volts != 2.25 || s.Battery.Threshold != 2.3 || s.Temperature.Celsius != -12.5 || s.Battery.Action != "none" {
		t.Errorf("%+v", s)
	}
	if out := x.scm("inject", "tap", "y-"); !strings.HasPrefix(out, "The SCM is tapped along y-\nLED: ") {
		t.Errorf("inject tap: %q", out)
	}
	x.fails("", words("inject tap y"), "x+, x-")
	x.fails("", words("inject battery low"), "no number")
	x.fails("", words("inject battery"), "VOLTS")
	x.fails("", words("inject temperature -12"), "-- before a negative")
	x.fails("", words("inject temperature NaN"), "wrong form")
	x.fails("", []string{"inject", "battery", "--", "-1"}, "wrong form")
}

func TestUnbind(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.scm("inject", "unbind")
	if s := x.status(); s.Bound || s.Answers || s.LED.Pattern != "rapid blinking" {
		t.Errorf("%+v", s)
	}
	x.scm("inject", "unbind", "--undo")
	if s := x.status(); !s.Bound || !s.Answers {
		t.Errorf("%+v", s)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.scm("inject", "fault", "--timeouts", "2", "--huge-slot", "--restart")
	for range 2 {
		x.fails("", words("slots"), "in time")
	}
	x.scm("slots")
	x.scm("inject", "fault", "--timeouts", "1000")
	if out := x.scm("inject", "fault"); !strings.HasPrefix(out, "No fault is left") {
		t.Errorf("%q", out)
	}
	x.scm("slots")
	x.fails("", words("inject fault --timeouts -1"), "wrong form")
}

// A fault can be about one kind of call, and says that one time-out alone is retried over the vendor's API.
func TestFaultOn(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newTool(t, "")
	x.home.Init()
	if out := x.scm(words("inject fault --on generate --count 1")...); !strings.Contains(out, "one time-out is retried") {
		t.Errorf("%q", out)
	}
	generate := []string{"--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "k"}
	x.scm("slots")
	if out, err := x.home.Try("pkcs11-tool", generate...); err == nil {
		t.Errorf("a key was made:\n%s", out)
	}
	x.home.Run("pkcs11-tool", generate...)
	x.fails("", words("inject fault --on find"), "sign, generate or any")
	x.fails("", words("inject fault --count 0"), "--undo")
	x.fails("", words("inject fault --timeouts 1 --on sign"), "give it alone")
	x.scm(words("inject fault --on sign")...)
	if out := x.scm("inject", "fault", "--undo"); !strings.HasPrefix(out, "No fault is left") {
		t.Errorf("%q", out)
	}
}

// All that was injected can be taken back, one by one and together.
func TestUndoOfInjections(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	inject := func() {
		for _, line := range []string{"tamper 0", "tamper 1", "battery 2", "temperature 80", "tap x+", "fatal 8", "fault --timeouts 9", "unbind"} {
			x.scm(append([]string{"inject"}, words(line)...)...)
		}
	}
	isNew := func(how string) {
		s := x.status()
		if s.Perimeter[0].Event != 0 || s.Perimeter[1].Event != 0 || s.Battery.Volts != 3.1 || s.Temperature.Celsius != 40 || s.LED.Code != 0 || !s.Bound || !s.Answers {
			t.Errorf("%s: %+v", how, s)
		}
	}
	inject()
	for _, line := range []string{"tamper 0", "tamper", "battery", "temperature", "tap", "fatal", "fault", "unbind"} {
		x.scm(append(append([]string{"inject"}, words(line)...), "--undo")...)
	}
	isNew("one by one")
	inject()
	if out := x.scm("inject", "--undo"); !strings.HasPrefix(out, "All is taken back") {
		t.Errorf("%q", out)
	}
	isNew("together")
	if out := x.scm("inject", "unbind", "--undo"); !strings.Contains(out, "there was nothing to undo") {
		t.Errorf("%q", out)
	}
	x.fails("", words("inject boot --undo"), "cannot be taken back")
}

// An SCM in production mode that was brought to another host is not bound to it by --undo.
func TestUndoOfUnbindElsewhere(t *testing.T) {
	t.Parallel()
	x := newTool(t, "host = \"first\"\n")
	x.scm("lock-binding", "--yes")
	x.scm("inject", "boot")
	if err := os.WriteFile(filepath.Join(x.home.Dir, "zk_pkcs11.toml"), []byte("[soft]\nhost = \"second\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := x.scm("inject", "unbind", "--undo"); !strings.Contains(out, "bound to another host for good") {
		t.Errorf("%q", out)
	}
}

// bootReport is what "scm inject boot --json" prints.
type bootReport struct {
	Mode                   string
	Bound, Destroyed, Held bool
	LostKeys               []int    `json:"lost_keys"`
	WrongFiles             []string `json:"wrong_files"`
	LED                    led
}

func TestBootLosesKeys(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newTool(t, "firmware = \"01.02.02release\"\n")
	x.home.Init()
	x.home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN,
		"--keypairgen", "--key-type", "EC:prime256v1", "--label", "k")
	var r bootReport
	x.parse(&r, "", "inject", "boot")
	if r.Mode != "development" || !r.Bound || r.Destroyed || r.Held || !reflect.DeepEqual(r.LostKeys, []int{16}) {
		t.Errorf("%+v", r)
	}
	if n := len(x.status().KeySlots); n != 16 {
		t.Errorf("%d keys are left", n)
	}
}

// From development to production mode, a self-destruct, and a new SCM.
func TestLifeOfAnSCM(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.bootFile("kernel", "right")
	x.scm("manifest", "add", "kernel")
	x.fails("no\n", words("lock-binding"), "not confirmed")
	x.fails("", words("lock-binding"), "--yes")
	if s := x.status(); s.ProductionPending {
		t.Error("locked without a confirmation")
	}
	x.answer("yes\n", "lock-binding")
	if s := x.status(); !s.ProductionPending || s.Mode != "development" {
		t.Errorf("%+v", s)
	}
	if out := x.scm("inject", "boot"); !strings.Contains(out, "production mode") {
		t.Errorf("%s", out)
	}
	x.fails("", words("lock-binding --yes"), "scm reset")

	x.bootFile("kernel", "wrong")
	var r bootReport
	x.parse(&r, "", "inject", "boot")
	if r.Mode != "production" || !r.Destroyed || !reflect.DeepEqual(r.WrongFiles, []string{"kernel"}) || r.LED.Code != 5 {
		t.Errorf("%+v", r)
	}
	if s := x.status(); !s.Destroyed || len(s.KeySlots) != 0 {
		t.Errorf("%+v", s)
	}
	golden(t, "destroyed.txt", x.scm("status"))
	x.fails("", words("slots"), "destroyed its keys", "scm reset")

	before := x.status().Serial
	x.fails("", words("reset"), "not confirmed", "--yes")
	var s status
	x.parse(&s, "", "reset", "--yes")
	if s.Destroyed || s.Mode != "development" || len(s.KeySlots) != 16 || s.Serial != before {
		t.Errorf("%+v", s)
	}
}

// A reset gives all slots new keys, and works where nothing else does.
func TestReset(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.home.Init()
	before := x.scm("slots")
	x.scm("inject", "unbind")
	x.answer("yes\n", "reset")
	if after := x.scm("slots"); after == before {
		t.Error("the keys are the old ones")
	}
	x.scm("wallet", "create", "w") // nothing is sealed
	x.home.Init()
	x.fails("", words("wallet create v"), "User PIN")
}

// A user who may not write gets told so.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	if os.Geteuid() == 0 {
		// Root obeys the modes of files once it has no capabilities.
		harness.Need(t, "setpriv")
		x.through = []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
	}
	x.scm("status")
	files, err := filepath.Glob(filepath.Join(x.home.Dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	t.Cleanup(func() { os.Chmod(x.home.Dir, 0o700) })
	for _, file := range append(files, x.home.Dir) {
		if err := os.Chmod(file, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	x.scm("status")
	x.fails("", words("inject tamper 0"), "cannot be written", "owner")
}
