// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"testing"
	"time"
)

// TestLikeHardware: the profile is one of defaults, which settings take the place of.
func TestLikeHardware(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given Settings
		boots time.Duration
	}{
		{"revision A", Settings{Like: LikeHardware}, 90 * time.Second},
		{"revision B", Settings{Like: LikeHardware, Firmware: "01.02.02"}, 140 * time.Second},
		{"by hand", Settings{Like: LikeHardware, BootDelay: time.Second}, time.Second},
	} {
		s, err := tt.given.Complete()
		if err != nil || s.BootDelay != tt.boots || s.Ed25519 != Ed25519Digest || s.Nonce != NonceRandom || s.Latency.Sign == 0 || s.RefuseEmpty {
			t.Errorf("%s: %+v, %v", tt.name, s, err)
		}
	}
	s, err := Settings{Firmware: "01.02.02"}.Complete()
	if err != nil || s.Firmware != "01.02.02release" || !s.Has(DefectLostKeys) || s.BootDelay != 0 {
		t.Errorf("without it: %+v, %v", s, err)
	}
}
