// SPDX-License-Identifier: Apache-2.0

package util

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// status is what "scm status --json" prints of a soft SCM.
type status struct {
	Slot              int
	Model             string
	Serial            string
	Firmware          string
	Time              int64
	Answers           bool
	Problem           string
	Destroyed         bool
	Mode              string
	ProductionPending bool `json:"production_pending"`
	Bound             bool
	Battery           struct {
		Volts, Threshold float64
		Action           string
	}
	Temperature struct {
		Celsius, Low, High float64
		Action             string
	}
	Perimeter []struct {
		Notify       bool
		SelfDestruct bool `json:"self_destruct"`
		Event        int64
	}
	LED          led
	EphemeralKey bool `json:"ephemeral_key"`
	Hardware     *struct {
		Production, Bound *bool
		Volts             *float64 `json:"battery_volts"`
		Celsius           *float64 `json:"temperature_celsius"`
		Events            []int64  `json:"perimeter_events"`
	}
	Capacity     int
	KeySlots     []int `json:"key_slots"`
	ForeignSlots []int `json:"foreign_slots"`
}

type led struct {
	Pattern, Meaning string
	Code, Sub        int
}

func (x *tool) status() (s status) {
	x.t.Helper()
	out, errs, err := x.run("", words("scm status --json")...)
	if e := json.Unmarshal([]byte(out), &s); e != nil || exitCode(err) != 0 && s.Answers {
		x.t.Fatalf("scm status: %v, %v\n%s%s", err, e, out, errs)
	}
	if exitCode(err) == 0 && !s.Answers && s.Hardware == nil {
		x.t.Errorf("scm status ends well with an SCM that does not answer")
	}
	return s
}

var update = flag.Bool("update", false, "write what is printed to testdata")

var (
	serial = regexp.MustCompile(`[0-9a-f]{16}`)
	moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)
)

// golden compares what was printed with a file of testdata, serial number and
// times apart.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = moment.ReplaceAllString(serial.ReplaceAllString(got, "SERIAL"), "TIME")
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%swant\n%s", name, got, want)
	}
}

func TestStatusOfANewSCM(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	golden(t, "new.txt", x.scm("status"))
	s := x.status()
	if s.Model != "Soft SCM" || s.Firmware != "01.00.00" || len(s.Serial) != 16 || s.Slot != 0 {
		t.Errorf("%+v", s)
	}
	if !s.Answers || !s.Bound || s.Destroyed || s.ProductionPending || s.Mode != "development" {
		t.Errorf("%+v", s)
	}
	if now := time.Now().Unix(); s.Time < now-60 || s.Time > now+60 {
		t.Errorf("its time is %d, ours %d", s.Time, now)
	}
	if len(s.KeySlots) != 16 || s.ForeignSlots == nil || len(s.ForeignSlots) != 0 || s.EphemeralKey {
		t.Errorf("keys: %v, foreign %v", s.KeySlots, s.ForeignSlots)
	}
}

// The map after wallets were made and a key in between.
func TestSlotMap(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.scm("wallet", "create", "one", "--curve", "nistp256", "--recovery", "none")
	x.scm("wallet", "child", "one", "m/1/2/3")
	x.scm("wallet", "create", "two", "--recovery", "none")
	x.scm("wallet", "child", "two", "m/0h")
	x.scm("wallet", "create", "three", "--curve", "ed25519", "--recovery", "none")
	x.scm("wallet", "child", "three", "m/0h")
	x.scm("inject", "tamper", "1")
	golden(t, "used.txt", x.scm("status"))
}

// A status tells why an SCM does not answer, and is no call that takes the place of
// one which was to fail.
func TestStatusOfAnSCMThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.scm("inject", "fault", "--timeouts", "1")
	for range 2 {
		if s := x.status(); s.Answers || !strings.Contains(s.Problem, "in time") || len(s.KeySlots) != 16 {
			t.Errorf("with a timeout to come: %+v", s)
		}
	}
	x.fails("", words("slots"), "did not answer in time", "try again")
	if s := x.status(); !s.Answers {
		t.Errorf("after the timeout: %q", s.Problem)
	}
	x.scm("inject", "unbind")
	out, errs, err := x.run("", words("scm status")...)
	golden(t, "unbound.txt", out)
	if exitCode(err) != 1 || !strings.Contains(errs, "unbind --undo") {
		t.Errorf("%v, %q", err, errs)
	}
	x.fails("", words("slots"), "not bound", "scm status")
}

func TestSlotFlag(t *testing.T) {
	t.Parallel()
	x := newTool(t, "[[slot]]\nname = \"a\"\n[[slot]]\nname = \"b\"\n")
	x.scm("inject", "battery", "2.9", "--slot", "1")
	var a, b status
	x.parse(&a, "", "status")
	x.parse(&b, "", "--slot", "1", "status")
	if a.Slot != 0 || b.Slot != 1 || a.Serial == b.Serial || a.Battery.Volts != 3.1 || b.Battery.Volts != 2.9 {
		t.Errorf("slot 0: %+v\nslot 1: %+v", a, b)
	}
	x.fails("", words("status --slot 2"), "there is no slot 2", "--show-slots")
	x.fails("", words("status --slot -1"), "takes a number from 0 on")
}

// keyRow is a key in "scm slots --json".
type keyRow struct {
	Slot                         int
	Kind, Curve, Wallet, Address string
	PublicKey                    string `json:"public_key"`
}

func TestSlots(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.scm("wallet", "create", "eth")
	x.scm("wallet", "child", "eth", "m/7")
	var list struct{ Keys, Foreign []keyRow }
	x.parse(&list, "", "slots")
	if len(list.Keys) != 18 || list.Foreign == nil || len(list.Foreign) != 0 {
		t.Fatalf("%d keys, foreign ones %v", len(list.Keys), list.Foreign)
	}
	for i, k := range list.Keys[:16] {
		curve, size := "nistp256", 128
		if i >= 14 {
			curve, size = "ed25519", 64
		}
		if k.Slot != i || k.Kind != "permanent" || k.Curve != curve || len(k.PublicKey) != size {
			t.Errorf("%+v", k)
		}
	}
	if want := (keyRow{Slot: 16, Kind: "user", Wallet: "eth", Address: "m"}); !reflect.DeepEqual(list.Keys[16], want) {
		t.Errorf("%+v, want %+v", list.Keys[16], want)
	}
	if k := list.Keys[17]; k.Curve != "secp256k1" || k.Address != "m/7" || len(k.PublicKey) != 128 {
		t.Errorf("%+v", k)
	}
	text := x.scm("slots")
	for _, part := range []string{"SLOT  KIND", "hidden", "eth m/7", list.Keys[17].PublicKey[:16] + "..."} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

func TestLED(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	var codes []struct {
		Code, Sub int
		Meaning   string
	}
	x.parse(&codes, "", "led", "20", "2")
	if len(codes) != 1 || codes[0].Code != 20 || codes[0].Sub != 2 || !strings.Contains(codes[0].Meaning, "temperature above") {
		t.Errorf("%+v", codes)
	}
	if out := x.scm("led", "4"); !strings.HasPrefix(out, "4-1: battery") || !strings.Contains(out, "\n4-2: supervised boot") {
		t.Errorf("led 4: %q", out)
	}
	x.fails("", words("led 7"), "no fatal code 7", "22-9")
	// It needs no SCM.
	x.home.Set("ZK_PKCS11_HOME", "/proc/none")
	x.scm("led", "5")
	x.fails("", words("status"), "slot 0")
}

// The zymbit backend tells what the vendor's library tells.
func TestHardware(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	soft := x.status()
	x.home.Set("ZK_PKCS11_BACKEND", "zymbit")
	x.home.Set("ZK_APP_UTILS_LIB", harness.Build(t, "libzk_app_utils.so"))
	s := x.status()
	if s.Model == "" || s.Serial != soft.Serial || s.Time == 0 || len(s.KeySlots) != 16 {
		t.Errorf("%+v", s)
	}
	if out := x.scm("status"); !strings.Contains(out, "PPPPPPPP PPPPPPEE") || !strings.Contains(out, "Battery       3.1 V (threshold and action: unknown)") {
		t.Errorf("%s", out)
	}
	if h := s.Hardware; h == nil || *h.Production || !*h.Bound || *h.Volts != soft.Battery.Volts || *h.Celsius != soft.Temperature.Celsius || len(h.Events) != 2 {
		t.Errorf("%+v", h)
	}
	if out := x.scm("slots"); !strings.Contains(out, "permanent  ed25519") {
		t.Errorf("%s", out)
	}
	if out := x.scm("wallet", "list"); out != "There are no wallets\n" {
		t.Errorf("%s", out)
	}
	x.scm("wallet", "create", "w", "--recovery", "none")
	if out := x.scm("status"); !strings.Contains(out, "\n   16  #.") {
		t.Errorf("the topmost key of a wallet does not show:\n%s", out)
	}
	for _, line := range []string{"reset --yes", "lock-binding --yes", "inject boot"} {
		x.fails("", words(line), "only for the soft SCM", "slot 0")
	}
}

// Of an SCM that is not there the log tells at level info, and names the command that says
// what to do. That takes one line.
func TestAbsence(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	for _, test := range []struct{ backend, reason, next string }{
		{"soft", "not bound to this host", "scm status"},
		{"zymbit", "connection timed out", "zkifc"},
	} {
		x := newTool(t, "[zymbit]\nboot_wait = \"1s\"\n") // an SCM without its host does not boot
		x.scm("inject", "unbind")
		x.home.Set("ZK_PKCS11_BACKEND", test.backend)
		x.home.Set("ZK_APP_UTILS_LIB", harness.Build(t, "libzk_app_utils.so"))
		x.home.Set("ZK_PKCS11_LOG", "info")
		out, err := x.home.Try("pkcs11-tool", "--module", harness.Module(t), "--list-slots")
		if err != nil || strings.Count(out, "there is no token: ") != 1 || !strings.Contains(out, "scm status --slot 0") {
			t.Errorf("%+v: %v\n%s", test, err, out)
		}
		x.fails("", words("slots --slot 0"), test.reason, test.next)
		if out, errs, _ := x.run("", "scm", "status", "--slot", "0"); !strings.Contains(out+errs, test.reason) || strings.Count(errs, "\n") > 1 {
			t.Errorf("%+v: %s%s", test, out, errs)
		}
	}
}
