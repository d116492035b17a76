// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// TestClock reads the time of the token in both places. Only a search by class finds
// the clock.
func TestClock(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	clock := k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_HW_FEATURE))
	if slices.Contains(k.Find(s), clock) {
		t.Error("a search for everything finds the clock")
	}
	before := time.Now().UTC().Truncate(time.Second)
	texts := []string{string(k.Attr(s, clock, pkcs11.CKA_VALUE))}
	info, err := k.GetTokenInfo(0)
	k.OK(err)
	if info.Flags&pkcs11.CKF_CLOCK_ON_TOKEN == 0 {
		t.Error("the token tells of no clock")
	}
	for _, text := range append(texts, info.UTCTime) {
		at, err := time.Parse("20060102150405", strings.TrimSuffix(text, "00"))
		if err != nil || at.Before(before) || at.After(time.Now()) {
			t.Errorf("time %q, want %v: %v", text, before, err)
		}
	}
}
