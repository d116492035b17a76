// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"strings"

	"libzk_pkcs11/internal/config/value"
)

// Names of defects that the vendor has published, with the numbers of the issues
// that tell of them.
const (
	DefectBatteryWindow = "battery-window" // 93: battery thresholds up to 3.0 V are taken
	DefectDarkLED       = "dark-led"       // 114: the LED stays off for a minute after SetPerimeterAction
	DefectFirstCall     = "first-call"     // 116: the first call after a start times out
	DefectHugeSlot      = "huge-slot"      // 120: the daemon dies of a slot number that there cannot be
	DefectLostKeys      = "lost-keys"      // 159: generated keys vanish when the SCM starts
	DefectSlowRemoval   = "slow-removal"   // 88: removing a wallet with many keys works, but times out
	DefectSlowSettle    = "slow-settle"    // 99: calls time out for 10 s after SetPerimeterAction
	DefectTamperResets  = "tamper-resets"  // 103: the SCM and its host start anew at a tamper event
	DefectWrongTime     = "wrong-time"     // 117: a breach while the SCM is off has a wrong time
)

// Defects lists the names of all defects.
var Defects = []string{
	DefectBatteryWindow, DefectDarkLED, DefectFirstCall, DefectHugeSlot, DefectLostKeys, DefectSlowRemoval,
	DefectSlowSettle, DefectTamperResets, DefectWrongTime,
}

// firmwareDefects are those that the vendor tells of a firmware, or of the host's
// software of its time.
var firmwareDefects = map[string][]string{
	"01.02.02release": {DefectLostKeys},
	"00.00.51beta":    {DefectDarkLED, DefectFirstCall, DefectHugeSlot, DefectWrongTime},
	"00.00.34beta": {
		DefectBatteryWindow, DefectDarkLED, DefectFirstCall, DefectHugeSlot, DefectSlowRemoval, DefectSlowSettle,
		DefectTamperResets, DefectWrongTime,
	},
}

// defects is a list of names with commas between them, "auto" for those of the firmware, or
// "none".
type defects struct{ to *[]string }

// Text is "" for a list of none, too, which no default takes the place of.
func (v defects) Text() string { return strings.Join(*v.to, ",") }

func (v defects) Set(text, _ string) error {
	*v.to = nil
	if text == "auto" {
		return nil
	}
	*v.to = []string{}
	if text == "none" {
		return nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if err := value.CheckWord(name, Defects...); err != nil {
			return err
		}
		*v.to = append(*v.to, name)
	}
	return nil
}
