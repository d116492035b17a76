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
