// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// TestLife walks through lives of a device: what happens to it, and the stage that follows.
func TestLife(t *testing.T) {
	type step struct {
		happens event
		then    stage
	}
	for name, steps := range map[string][]step{
		"at once":                   {{answered, present}},
		"after a start":             {{silent, starting}, {silent, starting}, {answered, present}},
		"installed late":            {{refused, absent}, {silent, starting}, {refused, absent}, {answered, present}},
		"gone and back":             {{answered, present}, {lost, gone}, {answered, present}, {lost, gone}},
		"silent when it was there":  {{answered, present}, {lost, gone}, {silent, gone}, {refused, gone}, {silent, gone}},
		"lost by two calls at once": {{answered, present}, {lost, gone}, {lost, gone}},
	} {
		at := absent
		for i, s := range steps {
			if at = transitions[at][s.happens]; at != s.then {
				t.Errorf("%s: stage %d after step %d, want %d", name, at, i, s.then)
			}
		}
	}
}

// TestLifeOfToken checks what a life keeps beside its stage.
func TestLifeOfToken(t *testing.T) {
	start := time.Now()
	first, second := &token{}, &token{}
	var l life
	for _, c := range []struct {
		cause error
		stage stage
		why   Error
	}{
		{fmt.Errorf("opening: %w: %w", scm.ErrAbsent, scm.ErrTimeout), starting, CKR_TOKEN_NOT_PRESENT},
		{store.ErrCorrupt, absent, CKR_DEVICE_ERROR},
		{errors.New("no daemon"), absent, CKR_TOKEN_NOT_PRESENT},
	} {
		l.miss(c.cause, start)
		if l.stage != c.stage || l.why != c.why || l.token != nil || l.announced || l.asked != start {
			t.Errorf("%v: %+v", c.cause, l)
		}
		start = l.asked
	}
	l.meet(first, time.Now())
	if l.stage != present || l.token != first || l.announced || l.asked != start {
		t.Errorf("met: %+v", l)
	}
	l.lose(second) // of another life
	if l.token != first {
		t.Error("the end of another token ends this one")
	}
	l.lose(first)
	if l.stage != gone || l.token != nil {
		t.Errorf("lost: %+v", l)
	}
	var atOnce life
	atOnce.meet(first, start)
	if !atOnce.announced {
		t.Error("a token that is there at the first attempt is an event")
	}
}
