// SPDX-License-Identifier: Apache-2.0

package scm

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
)

// DefaultBootSlot is the slot whose key signs files of supervised boot when the
// host does not name one.
const DefaultBootSlot Slot = 15

// CheckBootFile refuses what supervised boot cannot sign: ErrInput for a path that is
// not relative to the boot directory and below it, or that the manifest, a list with
// white space in between, could not show; ErrSlotRange for a signer that is not
// permanent.
func CheckBootFile(path string, signer Slot) error {
	torn := strings.ContainsFunc(path, unicode.IsSpace) || strings.Contains(path, "\x00")
	if !filepath.IsLocal(path) || torn || filepath.Clean(path) != path || path == "." {
		return fmt.Errorf("boot file %q: %w", path, ErrInput)
	}
	if !signer.Permanent() {
		return fmt.Errorf("boot file %q signed by slot %d: %w", path, int(signer), ErrSlotRange)
	}
	return nil
}
