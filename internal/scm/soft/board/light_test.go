// SPDX-License-Identifier: Apache-2.0

package board

import "testing"

func TestLEDMeaning(t *testing.T) {
	for _, m := range fatalCodes {
		if got, ok := LEDMeaning(m.code, m.sub); !ok || got != m.meaning {
			t.Errorf("LEDMeaning(%d, %d) = %q, %v", m.code, m.sub, got, ok)
		}
	}
	if got, ok := LEDMeaning(7, 0); ok || got != "" {
		t.Errorf("LEDMeaning of no code = %q", got)
	}
}
