// SPDX-License-Identifier: Apache-2.0

package soft

import "slices"

// Names of defects that the vendor has published, with the numbers of the issues
// that tell of them.
const (
	DefectHugeSlot = "huge-slot" // 120: the daemon dies of a slot number that there cannot be
	DefectLostKeys = "lost-keys" // 159: generated keys vanish when the SCM starts
)

// Defects lists the names of all defects.
var Defects = []string{DefectHugeSlot, DefectLostKeys}

// firmwareDefects are those that the vendor tells of a firmware, or of the host's
// software of its time.
var firmwareDefects = map[string][]string{
	"01.02.02release": {DefectLostKeys},
	"00.00.51beta":    {DefectHugeSlot},
	"00.00.34beta":    {DefectHugeSlot},
}

func (o Options) has(defect string) bool { return slices.Contains(o.Defects, defect) }
