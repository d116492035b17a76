// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

var errClosed = fmt.Errorf("soft SCM is closed: %w", scm.ErrAbsent)

func errRange(s scm.Slot) error  { return fmt.Errorf("slot %d: %w", int(s), scm.ErrSlotRange) }
func errEmpty(s scm.Slot) error  { return fmt.Errorf("slot %d: %w", int(s), scm.ErrSlotEmpty) }
func errHidden(s scm.Slot) error { return fmt.Errorf("slot %d: %w", int(s), scm.ErrExport) }

// ours lists the errors of scm that transactions on the flash answer.
var ours = [...]error{
	scm.ErrSlotRange, scm.ErrSlotEmpty, scm.ErrSlotTaken, scm.ErrPermanent, scm.ErrFull,
	scm.ErrCurve, scm.ErrInput, scm.ErrSealed, scm.ErrReadOnly, scm.ErrExport, scm.ErrName,
	scm.ErrFixed, scm.ErrDestroyed, scm.ErrAbility, scm.ErrTimeout, scm.ErrDevice, errBlank, errThere,
}

// deviceError makes what a transaction on the flash answered an error of scm.
func deviceError(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range ours {
		if errors.Is(err, e) {
			return err
		}
	}
	switch {
	case errors.Is(err, sharedfile.ErrReadOnly):
		return fmt.Errorf("%w: %w", scm.ErrReadOnly, err)
	case errors.Is(err, sharedfile.ErrFull):
		return fmt.Errorf("%w: %w", scm.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", scm.ErrDevice, err)
}
