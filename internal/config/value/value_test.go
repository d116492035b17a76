// SPDX-License-Identifier: Apache-2.0

package value

import (
	"math"
	"testing"
	"time"
)

// everyKind is a value of each kind.
type everyKind struct {
	word, path, oneOf string
	duration          time.Duration
	number            int
	decimal           float32
	truth             bool
}

func (k *everyKind) values() []Value {
	return []Value{
		Word(&k.word), Path(&k.path), OneOf(&k.oneOf, "a", "b"), Duration(&k.duration),
		Number(&k.number, 1, math.MaxInt32), Decimal(&k.decimal), Truth(&k.truth),
	}
}

// TestText: what a value says of itself is what sets it so, and the zero value says nothing.
func TestText(t *testing.T) {
	var zero, again everyKind
	for i, v := range zero.values() {
		if v.Text() != "" {
			t.Errorf("the zero value of kind %d is %q", i, v.Text())
		}
	}
	full := everyKind{"w", "/p", "b", 1500 * time.Millisecond, 7, -0.3, true}
	to := again.values()
	for i, v := range full.values() {
		if err := to[i].Set(v.Text(), ""); err != nil {
			t.Errorf("kind %d: %v", i, err)
		}
	}
	if again != full {
		t.Errorf("%+v became %+v", full, again)
	}
}

func TestRefused(t *testing.T) {
	bad := [][]string{
		{"", "a\x00b"}, {"", "a\x00b"}, {"", "c"}, {"", "-1s", "x", "2147483648s1"}, {"", "0", "2147483648", "1.5"},
		{"", "NaN", "+Inf", "x"}, {"", "yes"},
	}
	var k everyKind
	for i, v := range k.values() {
		for _, text := range bad[i] {
			if v.Set(text, "") == nil {
				t.Errorf("kind %d takes %q", i, text)
			}
		}
	}
	if k != (everyKind{}) {
		t.Errorf("what was refused has changed something: %+v", k)
	}
}

func TestAbsolute(t *testing.T) {
	for _, tt := range [][3]string{{"/b", "p/q", "/b/p/q"}, {"/b", "/p/../q", "/q"}, {"", "/p", "/p"}} {
		if got := Absolute(tt[0], tt[1]); got != tt[2] {
			t.Errorf("Absolute(%q, %q) = %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}
