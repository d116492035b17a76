// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestBlink: the page's LED does what the pattern says.
func TestBlink(t *testing.T) {
	for _, c := range []struct {
		led    ledStatus
		times  int // how often it is on in a round
		period int // of a round in ms
	}{
		{ledStatus{Pattern: "off"}, 0, 0},
		{ledStatus{Pattern: "on"}, 1, 1000},
		{ledStatus{Pattern: "one blink every 3 seconds"}, 1, 3000},
		{ledStatus{Pattern: "three rapid blinks every 3 seconds"}, 3, 3000},
		{ledStatus{Pattern: "rapid blinking"}, 1, 200},
		{ledStatus{Pattern: "rapid blinking, then off"}, 10, 11900},
		{ledStatus{Pattern: "250ms on, 1.5s off"}, 1, 1750},
		{ledStatus{Pattern: "fatal code 8, three times", Code: 8}, 10 + 8, 950 + 1000 + 7500 + 1000},
		{ledStatus{Pattern: "fatal code 4-2, three times", Code: 4, Sub: 2}, 10 + 4 + 2, 950 + 1000 + 3500 + 1000 + 1500 + 1000},
	} {
		got := blinkOf(c.led)
		period := 0
		for _, ms := range got {
			period += ms
		}
		if (len(got)+1)/2 != c.times || period != c.period {
			t.Errorf("%s: %v", c.led.Pattern, got)
		}
	}
}

// TestBlinkKnowsAll: no pattern of the soft SCM is new to the page.
func TestBlinkKnowsAll(t *testing.T) {
	text, err := os.ReadFile("../../internal/scm/soft/board/light.go")
	if err != nil {
		t.Fatal(err)
	}
	patterns := regexp.MustCompile(`Pattern: "([^"]+)"`).FindAllStringSubmatch(string(text), -1)
	if len(patterns) < 5 {
		t.Fatalf("%d patterns only", len(patterns))
	}
	for _, p := range patterns {
		if p[1] != "off" && slices.Equal(blinkOf(ledStatus{Pattern: p[1]}), []int{}) {
			t.Errorf("the page does not know %q", p[1])
		}
	}
}
