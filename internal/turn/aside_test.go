// SPDX-License-Identifier: Apache-2.0

package turn_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/turn"
)

// TestAside: the caller pauses while the work lasts, and gets its error.
func TestAside(t *testing.T) {
	wrong := errors.New("wrong")
	for name, pause := range map[string]turn.Pause{"plain": nil, "pausing": time.Sleep} {
		t.Run(name, func(t *testing.T) {
			if err := turn.Aside(func() error { return wrong }, pause); err != wrong {
				t.Errorf("%v, want %v", err, wrong)
			}
		})
	}
	var pauses atomic.Int64
	pause := func(d time.Duration) { pauses.Add(1); time.Sleep(d) }
	err := turn.Aside(func() error {
		for range 10000 {
			if pauses.Load() >= 3 {
				return nil
			}
			time.Sleep(time.Millisecond)
		}
		return errors.New("the caller does not pause")
	}, pause)
	if err != nil {
		t.Error(err)
	}
}

// TestAsidePanics: a panic of the work is one of the caller's.
func TestAsidePanics(t *testing.T) {
	defer func() {
		if problem := recover(); problem != "a fault" {
			t.Errorf("%v, want the panic of the work", problem)
		}
	}()
	err := turn.Aside(func() error { panic("a fault") }, time.Sleep)
	t.Errorf("it returned %v", err)
}
