// SPDX-License-Identifier: Apache-2.0

package trace

import "fmt"

// Level is the weight of a line in the log: the higher, the less it matters.
type Level int

// The levels, the weightiest first.
const (
	Error Level = iota
	Warning
	Info
	Debug
)

// String returns the word for l that ParseLevel takes.
func (l Level) String() string {
	return [...]string{"error", "warning", "info", "debug"}[l]
}

// ParseLevel returns the level of that name.
func ParseLevel(name string) (Level, error) {
	for l := Error; l <= Debug; l++ {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%q is not a level", name)
}
