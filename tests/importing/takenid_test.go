// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"strings"
	"testing"

	"github.com/miekg/pkcs11"
)

// TestTakenID: a key comes over whose id a key slot of the SCM has as well, as that of many a token does; the table says so.
func TestTakenID(t *testing.T) {
	s := newSoftHSM(t)
	s.pairOf(pkcs11.CKM_EC_KEY_PAIR_GEN, "first", []byte{1}, true, ofCurve("p384"))
	s.pairOf(pkcs11.CKM_EC_KEY_PAIR_GEN, "second", []byte("second"), true, ofCurve("p384"))
	_, tool := newTarget(t)
	out := tool.must("softhsm", s.dir, "--from-pin", softPIN)
	for line := range strings.Lines(out) {
		taken := strings.Contains(line, `another key of the token has this id: "key rename"`)
		if want := strings.HasPrefix(line, "private key") && strings.Contains(line, "first"); taken != want {
			t.Errorf("taken id told: %v, want %v: %s", taken, want, line)
		}
	}
	if !strings.Contains(out, "4 of 4 objects imported") {
		t.Error(out)
	}
}

// TestSharedID: keys that come over with one id are told, each of them; a second run has nothing to tell.
func TestSharedID(t *testing.T) {
	s := newSoftHSM(t)
	s.pairOf(pkcs11.CKM_EC_KEY_PAIR_GEN, "p521", []byte("one"), true, ofCurve("p521"))
	s.pairOf(pkcs11.CKM_EC_KEY_PAIR_GEN, "k1", []byte("one"), true, ofCurve("k1"))
	s.pairOf(pkcs11.CKM_EC_KEY_PAIR_GEN, "p384", []byte("two"), true, ofCurve("p384"))
	_, tool := newTarget(t)
	out := tool.must("softhsm", s.dir, "--from-pin", softPIN)
	for _, label := range []string{"p521", "k1"} {
		shows(t, out, `(?m)^private key +`+label+` +6f6e65 +imported, but another key that is imported has this id, too: "key rename --label" gives it one of its own$`)
	}
	if n := strings.Count(out, "has this id"); n != 2 {
		t.Errorf("%d rows tell of it:\n%s", n, out)
	}
	if again := tool.must("softhsm", s.dir, "--from-pin", softPIN); strings.Contains(again, "has this id") {
		t.Errorf("a second run: %s", again)
	}
}
