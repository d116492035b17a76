// SPDX-License-Identifier: Apache-2.0

package fork_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// newParent makes a token for a host whose children are to go on as their parent.
func newParent(t *testing.T, setting string) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	home.Set("ZK_PKCS11_FORK", setting)
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	home.Set("ZK_TEST_TOOL", harness.Build(t, "zk_pkcs11-util"))
	return home
}

func TestHeirs(t *testing.T) {
	program := harness.Compile(t, "testdata/children.c")
	for _, tt := range []struct {
		scenario string
		ways     []string
		prints   string // what stands in it, whatever else does
	}{
		{"all-there-is", ways, ""},
		{"generations", ways, ""},
		{"finalised", []string{""}, ""},
		{"only-loaded", []string{""}, ""},
		{"only-initialized", []string{""}, ""},
		{"initialised-anew", []string{""}, "the login of the parent process does not hold any more"},
		{"many-sessions", []string{""}, "opening 10000 sessions"},
		{"busy", []string{""}, ""},
	} {
		for _, way := range tt.ways {
			t.Run(tt.scenario+"/"+way, func(t *testing.T) {
				t.Parallel()
				home := newParent(t, "inherit")
				harness.LeaveWay(t, home, way)
				out := home.Run(program, harness.Module(t), tt.scenario)
				if !strings.Contains(out, tt.prints) || tt.prints == "" && out != "" {
					t.Errorf("printed %q", out)
				}
				t.Log(out)
			})
		}
	}
}

// worked is what the host of workers prints.
type worked struct {
	key        ed25519.PublicKey
	signatures map[string][]byte // by what they are of
	first      []time.Duration   // from the fork to a worker's first signature
}

func workers(t *testing.T, setting, scenario string) worked {
	t.Helper()
	out := newParent(t, setting).Run(harness.Compile(t, "testdata/workers.c"), harness.Module(t), scenario)
	w := worked{signatures: map[string][]byte{}}
	for line := range strings.Lines(out) {
		what, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "first" {
			ns, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			w.first = append(w.first, time.Duration(ns))
			continue
		}
		bytes, err := hex.DecodeString(value)
		if err != nil {
			t.Fatalf("printed %q", line)
		}
		if what == "key" {
			w.key = bytes[2:] // behind the head of an OCTET STRING
		} else {
			w.signatures[what] = bytes
		}
	}
	slices.Sort(w.first)
	return w
}

// TestWorkers: an Ed25519 key in nginx, with libp11 0.4.17 to 0.4.20: each of eight workers
// signs fifty times, and the master once, over five reloads.
func TestWorkers(t *testing.T) {
	w := workers(t, "inherit", "reloads")
	failed := 0
	for message, signature := range w.signatures {
		if !ed25519.Verify(w.key, []byte(message), signature) {
			failed++
		}
	}
	t.Logf("%d signatures, %d failed", len(w.signatures), failed)
	if want := 5*8*50 + 5; len(w.signatures) != want || failed > 0 {
		t.Errorf("want %d, and none failed", want)
	}
}

// TestWorkersOfStrict is the control: such a server does not work there.
func TestWorkersOfStrict(t *testing.T) {
	if w := workers(t, "strict", "strict"); len(w.signatures) > 0 {
		t.Errorf("%d signatures", len(w.signatures))
	}
}

// TestFirstSignature prints how long a worker's first signature takes that has no PIN to
// try: docs/adr/0022 has the figures of a machine that does nothing else.
func TestFirstSignature(t *testing.T) {
	w := workers(t, "inherit", "one-by-one")
	if len(w.first) != 30 {
		t.Fatalf("%d workers", len(w.first))
	}
	t.Logf("from the fork to the first signature: at least %v, half of them %v, at most %v", w.first[0], w.first[15], w.first[29])
}
