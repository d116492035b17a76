// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm/soft/settings"
)

type vars map[string]string

func (v vars) get(name string) string { return v[name] }

// write puts text into a configuration file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	c, err := Source{State: "/s", Machine: "m"}.Load(vars{}.get)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Source:  Source{State: "/s", Machine: "m"},
		State:   "/s",
		Backend: BackendAuto,
		Show:    ShowAll,
		Quirks:  []string{"auto"},
		Fork:    "strict",
		Log:     Log{Level: "warning", To: "stderr"},
		Soft:    settings.Settings{Seal: "pin", Host: "m"},
		Zymbit:  Zymbit{BootWait: 150 * time.Second, KeyStore: "auto", Refresh: 5 * time.Second, Foreign25519: "ask"},
		Slots:   []Slot{{Name: "scm0", Backend: BackendAuto, State: "/s"}},

		SealedKeys: true,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

const everything = `# everything that can be set
state = "/var/lib/x"
state_group = "ssl-cert"
backend = "soft"
ec_point = "raw"
sealed_keys = false
show = "bound"
quirks = ["libp11-key-types", "openssh-curves"]
fork = "inherit"
trace = "calls.log"

[log]
level = "debug"
to = "zk.log"

[soft]
seal = "device"
firmware = "01.02.02release"

[zymbit]
library = "libzk_app_utils.so"
boot_wait = "20s"
key_store = "wallet"
refresh = "1m"
foreign_25519 = "x25519"
passphrase_base64 = true

[[slot]]
name = "first"
pool = ["second", "/elsewhere/third"]

[[slot]]
backend = "zymbit"
state = "/elsewhere"

[[slot]]
`

func TestFile(t *testing.T) {
	file := write(t, everything)
	c, err := Load(vars{"ZK_PKCS11_CONF": file}.get)
	if err != nil || c.Source.Drawn == "" {
		t.Fatalf("%v, drawn %q", err, c.Source.Drawn)
	}
	c.Source.Drawn = ""
	dir := filepath.Dir(file)
	want := Config{
		Source: Source{
			File: file, Text: everything, State: c.Source.State, Directory: c.Source.Directory, Machine: c.Source.Machine,
		},
		State:      "/var/lib/x",
		StateGroup: "ssl-cert",
		Backend:    BackendSoft,
		RawECPoint: true,
		Show:       ShowBound,
		Quirks:     []string{QuirkLibp11, QuirkOpenSSH},
		Fork:       ForkInherit,
		Trace:      filepath.Join(dir, "calls.log"),
		Log:        Log{Level: "debug", To: filepath.Join(dir, "zk.log")},
		Soft:       settings.Settings{Seal: "device", Firmware: "01.02.02release", Host: c.Source.Machine},
		Zymbit: Zymbit{
			Library: "libzk_app_utils.so", BootWait: 20 * time.Second, KeyStore: "wallet", Refresh: time.Minute,
			Foreign25519: "x25519", PassphraseBase64: true,
		},
		Slots: []Slot{
			{Name: "first", Backend: BackendSoft, State: "/var/lib/x/first", Pool: []string{"/var/lib/x/second", "/elsewhere/third"}},
			{Name: "scm1", Backend: BackendZymbit, State: "/elsewhere"},
			{Name: "scm2", Backend: BackendSoft, State: "/var/lib/x/scm2"},
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestEnvironmentOverridesFile(t *testing.T) {
	c, err := Load(vars{
		"ZK_PKCS11_CONF":     write(t, everything),
		"ZK_PKCS11_HOME":     "/h",
		"ZK_PKCS11_BACKEND":  "zymbit",
		"ZK_PKCS11_EC_POINT": "der",
		"ZK_PKCS11_QUIRKS":   "none",
		"ZK_PKCS11_TRACE":    "/t",
		"ZK_PKCS11_LOG":      "error",
		"ZK_APP_UTILS_LIB":   "/opt/lib.so",
	}.get)
	if err != nil {
		t.Fatal(err)
	}
	if c.State != "/h" || c.Backend != BackendZymbit || c.RawECPoint || c.Quirks != nil || c.Trace != "/t" ||
		c.Log.Level != "error" || c.Zymbit.Library != "/opt/lib.so" {
		t.Errorf("a variable was not heeded: %+v", c)
	}
	if got := c.Slots[0]; got.State != "/h/first" || got.Backend != BackendZymbit {
		t.Errorf("slot 0 is %+v", got)
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"syntax", "state = \"/x\"\nbackend = \n", ":2: "},
		{"key twice", "backend = \"soft\"\nbackend = \"soft\"\n", ":2: "},
		{"unknown key", "\n\ncolour = \"red\"\n", ":3: colour: unknown setting"},
		{"unknown table", "backend = \"soft\"\n[led]\ncode = 1\n", ":2: led: unknown setting"},
		{"key of the top below a table", "[soft]\nuser_slots = 3\nshow = \"bound\"\n", ":3: soft.show: unknown setting; show stands above the first [table] of the file"},
		{"key of another table", "level = \"info\"\n", ":1: level: unknown setting; level stands below [log]"},
		{"key of the top below a slot", "[[slot]]\nname = \"a\"\ntrace = \"/x\"\n", ":3: slot.trace: unknown setting; trace stands above the first [table] of the file"},
		{"unknown key in table", "[log]\n# level = \"info\"\nlevels = \"info\"\n", ":3: log.levels: unknown setting"},
		{"table as value", "log = \"debug\"\n", ":1: log: unknown setting"},
		{"value as table", "[backend]\n", ":1: backend: want a string"},
		{"wrong type", "backend = 1979-05-27\n", ":1: backend: want a string"},
		{"wrong type in list", "quirks = [1]\n", ":1: quirks: want a list of strings"},
		{"backend", "state = \"/x\"\nbackend = \"hard\"\n", `:2: backend: "hard" is not one of auto, soft, zymbit`},
		{"ec_point", "ec_point = \"ber\"\n", `:1: ec_point: "ber" is not one of der, raw`},
		{"quirks mixed", "quirks = [\"openssh-curves\", \"none\"]\n", `:1: quirks: "none" is not one of libp11-key-types, openssh-curves, p11-kit-waits`},
		{"quirk", "quirks = \"bad\"\n", `:1: quirks: "bad" is not one of`},
		{"quirks blank", "quirks = \" \"\n", ":1: quirks: want "},
		{"level", "[log]\nlevel = \"loud\"\n", `:2: log.level: "loud" is not one of`},
		{"dotted level", "\nlog.level = \"loud\"\n", `:2: log.level: "loud" is not one of`},
		{"seal", "[soft]\nseal = \"wax\"\n", `:2: soft.seal: "wax" is not one of pin, device`},
		{"defect", "soft.defects = [\"rust\"]\n", `:1: soft.defects: "rust" is not one of`},
		{"number", "soft.user_slots = 513\n", `:1: soft.user_slots: "513" is not a number from 1 to 512`},
		{"no number", "soft.user_slots = \"all\"\n", `:1: soft.user_slots: "all" is not a number from 1 to 512`},
		{"decimal", "soft.drift = nan\n", `:1: soft.drift: "NaN" is not a number`},
		{"truth", "soft.unlock_zero = 1\n", `:1: soft.unlock_zero: "1" is not one of true, false`},
		{"boot_wait", "[zymbit]\nboot_wait = \"long\"\n", `:2: zymbit.boot_wait: "long" is not a duration`},
		{"key_store", "[zymbit]\nkey_store = \"chest\"\n", `:2: zymbit.key_store: "chest" is not one of auto, keys, wallet`},
		{"foreign_25519", "[zymbit]\nforeign_25519 = \"guess\"\n", `:2: zymbit.foreign_25519: "guess" is not one of ask, ed25519, x25519`},
		{"negative boot_wait", "[zymbit]\nboot_wait = -1\n", `:2: zymbit.boot_wait: "-1" is not a duration`},
		{"empty state", "state = \"\"\n", ":1: state: is empty"},
		{"NUL", "state = \"a\\u0000b\"\n", ":1: state: contains a NUL"},
		{"slot as table", "[slot]\nname = \"a\"\n", ":1: slot: slots are written as [[slot]]"},
		{"slot key", "[[slot]]\nname = \"a\"\n[[slot]]\nnmae = \"b\"\n", ":4: slot.nmae: unknown setting"},
		{"slot backend", "[[slot]]\nbackend = \"x\"\n[[slot]]\nbackend = \"soft\"\n", `:2: slot.backend: "x" is not one of`},
		{"later slot backend", "[[slot]]\nbackend = \"soft\"\n[[slot]]\nbackend = \"x\"\n", `:4: slot.backend: "x" is not one of`},
		{"slot name twice", "[[slot]]\nname = \"a\"\n[[slot]]\nname = \"a\"\n", `:3: slot: the name "a" is taken`},
		{"pool of another slot", "[[slot]]\npool = [\"b\"]\n[[slot]]\nname = \"b\"\n", ":1: slot.pool: "},
		{"pool of itself", "[[slot]]\npool = [\"b\", \"scm0\"]\n", ":1: slot.pool: "},
		{"two pools", "[[slot]]\npool = [\"b\"]\n[[slot]]\npool = [\"b\"]\n", ":3: slot.pool: "},
		{"pool twice", "[[slot]]\npool = [\"b\", \"./b\"]\n", ":1: slot.pool: "},
		{"pool with nothing", "[[slot]]\npool = [\"b\", \"\"]\n", ":2: slot.pool: want a list of state directories"},
		{"pool too large", "[[slot]]\npool = [\"a" + strings.Repeat("\", \"a", 63) + "\"]\n", ":2: slot.pool: 64 further SCMs, of which there can be 63"},
		{"slot state twice", "[[slot]]\nname = \"a\"\n[[slot]]\nstate = \"a\"\n", ":3: slot: the state directory "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, tt.text)
			_, err := Load(vars{"ZK_PKCS11_CONF": file}.get)
			if err == nil || !strings.HasPrefix(err.Error(), file+tt.want) {
				t.Errorf("got  %v\nwant %s", err, file+tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

func TestEnvironmentErrors(t *testing.T) {
	for name, text := range map[string]string{
		"ZK_PKCS11_BACKEND":  "hard",
		"ZK_PKCS11_EC_POINT": "ber",
		"ZK_PKCS11_LOG":      "loud",
		"ZK_PKCS11_QUIRKS":   "auto,openssh-curves",
	} {
		_, err := Source{}.Load(vars{name: text}.get)
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s=%s: got %v", name, text, err)
		}
	}
}

func TestNamedFileMustExist(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Load(vars{"ZK_PKCS11_CONF": missing}.get); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v, want an error that names %s", err, missing)
	}
	h := host{getenv: vars{}.get, root: true, fallback: missing}
	if _, err := h.source(); err != nil {
		t.Errorf("the default file may be missing, got %v", err)
	}
}

func TestUnreadableFile(t *testing.T) {
	h := host{getenv: vars{}.get, root: true, fallback: t.TempDir()}
	if _, err := h.source(); err == nil {
		t.Error("a default file that is there and cannot be read was passed over")
	}
}

// A worker that changed root has no file any more: what its parent read counts.
func TestInheritedSource(t *testing.T) {
	s := Source{File: "/gone/zk.toml", Text: "backend = \"soft\"\nlog.to = \"l\"\n", State: "/s", Machine: "m"}
	env := vars{"ZK_PKCS11_CONF": "/gone/zk.toml", "ZK_PKCS11_EC_POINT": "raw"}
	c, err := s.Load(env.get)
	if err != nil {
		t.Fatal(err)
	}
	if c.Backend != BackendSoft || c.Log.To != "/gone/l" || c.State != "/s" || !c.RawECPoint {
		t.Errorf("got %+v", c)
	}
	env["ZK_PKCS11_CONF"] = write(t, "backend = \"zymbit\"\n")
	if c, err = s.Load(env.get); err != nil || c.Backend != BackendZymbit || c.Soft.Host != "m" {
		t.Errorf("another file was named since: got %v, %q, %v", c.Backend, c.Soft.Host, err)
	}
}

// nginx takes the environment from its workers, and a daemon its working
// directory: what its parent read counts here too.
func TestInheritedVariables(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := Load(vars{"ZK_PKCS11_HOME": "scm", "ZK_PKCS11_BACKEND": "soft"}.get)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("/")
	for _, test := range []struct {
		env     vars
		state   string
		backend Backend
	}{
		{vars{}, filepath.Join(dir, "scm"), BackendSoft},
		{vars{"ZK_PKCS11_HOME": "scm"}, filepath.Join(dir, "scm"), BackendSoft},
		{vars{"ZK_PKCS11_HOME": "/other", "ZK_PKCS11_BACKEND": "zymbit"}, "/other", BackendZymbit},
	} {
		c, err := parent.Source.Load(test.env.get)
		if err != nil || c.State != test.state || c.Backend != test.backend {
			t.Errorf("%v: got %s, %s, %v, want %s, %s", test.env, c.State, c.Backend, err, test.state, test.backend)
		}
		if again, err := c.Source.Load(vars{}.get); err != nil || again.State != test.state {
			t.Errorf("%v: a grandchild got %s, %v, want %s", test.env, again.State, err, test.state)
		}
	}
}

func TestDefaultState(t *testing.T) {
	home := func(dir string) func() string { return func() string { return dir } }
	tests := []struct {
		name string
		env  vars
		who  string
		home string
		want string
	}{
		{"root", vars{"HOME": "/root", "XDG_STATE_HOME": "/x"}, "root", "/root", SystemState},
		{"member of the group", vars{"HOME": "/home/a", "XDG_STATE_HOME": "/x"}, "member", "", SystemState},
		{"xdg", vars{"HOME": "/home/a", "XDG_STATE_HOME": "/x"}, "", "", "/x/zk_pkcs11"},
		{"relative xdg", vars{"HOME": "/home/a", "XDG_STATE_HOME": "x"}, "", "", "/home/a/.local/state/zk_pkcs11"},
		{"user database", vars{}, "", "/home/b", "/home/b/.local/state/zk_pkcs11"},
		{"no home", vars{}, "", "", SystemState},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := host{getenv: tt.env.get, root: tt.who == "root", home: home(tt.home)}
			h.member = func() bool { return tt.who == "member" }
			if got := h.state(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRelativePathInVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Source{State: "/s"}.Load(vars{"ZK_PKCS11_HOME": "scm"}.get)
	if err != nil || c.State != filepath.Join(dir, "scm") {
		t.Errorf("got %s, %v", c.State, err)
	}
}

const everythingSoft = `[soft]
firmware = "00.00.51beta"
defects = ["huge-slot", "dark-led"]
max_num_keys = 654
user_slots = 10
eddsa = "digest"
nonce = "rfc6979"
permanent_sign_only = true
permanent_shown = true
permanent_removable = true
ephemeral_signs = true
allocation = "next"
generator = "appended"
max_random = 512
max_lock = 131072
latency_sign = "20ms"
latency_generate = "1s"
latency_random = "1ms"
latency_lock = "5ms"
latency_absent = "2s"
boot_delay = "90s"
settle = 10
boot_dir = "boot"
boot_failure = "hold"
temperature_failure = "hold"
host = "a host"
model_number = "SCM B1"
serial_number = "0123"
unlisted = "seeds"
error_code = 5
remove_empty = false
passphrase_base64 = true
drift = -2.5
unlock_zero = true
tells_unbound = true
`

func TestSoft(t *testing.T) {
	c, err := Source{File: "/d/f", Text: everythingSoft, State: "/s"}.Load(vars{}.get)
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Settings{
		Seal: "pin", Firmware: "00.00.51beta", Defects: []string{"huge-slot", "dark-led"},
		MaxKeys: 654, UserSlots: 10, Ed25519: "digest", Nonce: "rfc6979",
		PermanentSignOnly: true, PermanentShown: true, PermanentRemovable: true, EphemeralSigns: true,
		Allocation: "next",
		Generator:  "appended", MaxRandom: 512, MaxLock: 131072,
		Latency: settings.Latency{
			Sign: 20 * time.Millisecond, Generate: time.Second, Random: time.Millisecond, Lock: 5 * time.Millisecond, Absent: 2 * time.Second,
		},
		BootDelay: 90 * time.Second, Settle: 10 * time.Second, BootDir: "/d/boot",
		BootFailure: "hold", TemperatureFailure: "hold", Host: "a host", Drift: -2.5,
		ModelNumber: "SCM B1", SerialNumber: "0123", Unlisted: "seeds", ErrorCode: 5,
		RefuseEmpty: true, PassphraseBase64: true, UnlockZero: true, TellsUnbound: true,
	}
	if !reflect.DeepEqual(c.Soft, want) {
		t.Errorf("got  %+v\nwant %+v", c.Soft, want)
	}
}

func TestDefects(t *testing.T) {
	for text, want := range map[string][]string{`"auto"`: nil, `"none"`: {}, `[]`: {}, `"lost-keys"`: {"lost-keys"}} {
		c, err := Source{File: "/f", Text: "soft.defects = " + text}.Load(vars{}.get)
		if err != nil || !reflect.DeepEqual(c.Soft.Defects, want) {
			t.Errorf("%s: %#v, %v", text, c.Soft.Defects, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(everything)
	f.Add("slot = [{name = \"a\"}, {name = \"b\"}]\n[[slot]]\n")
	f.Add("[slot.a.b]\nx = 1979-05-27\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Source{File: "/f", Text: text, State: "/s"}.Load(vars{}.get)
		if err == nil && len(c.Slots) == 0 {
			t.Error("no slot")
		}
	})
}
