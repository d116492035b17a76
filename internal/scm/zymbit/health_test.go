// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

func TestHealth(t *testing.T) {
	d, below := broken(t)
	for _, err := range []error{below.InjectBattery(2.75), below.InjectTemperature(-3.5), below.InjectTamper(1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := d.Health()
	if err != nil || h.Production == nil || h.Bound == nil || h.Volts == nil || h.Celsius == nil || len(h.Events) != 2 {
		t.Fatalf("got %+v, %v", h, err)
	}
	if *h.Production || !*h.Bound || *h.Volts != 2.75 || *h.Celsius != -3.5 || h.Events[0] != 0 || h.Events[1] == 0 {
		t.Errorf("production %v, bound %v, %v V, %v °C, events %v", *h.Production, *h.Bound, *h.Volts, *h.Celsius, h.Events)
	}
}

// TestUnknownHealth: a module that tells nothing has no values.
func TestUnknownHealth(t *testing.T) {
	f := newFake(t)
	d := f.device()
	f.failures = []error{nil, errRefusal, errRefusal, errRefusal, errRefusal} // slots, and each question
	if h, err := d.Health(); err != nil || h.Production != nil || h.Bound != nil || h.Volts != nil || h.Celsius != nil || h.Events != nil {
		t.Errorf("got %+v, %v", h, err)
	}
	f.failures = []error{errTimeout, errTimeout, errTimeout}
	_, err := d.Health()
	wantError(t, err, scm.ErrAbsent)
}
