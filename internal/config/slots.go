// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strconv"

	"libzk_pkcs11/internal/config/value"
)

// placeSlots fills in what the slots take from the rest of the settings; lines
// are those of their tables in the file. Without tables there is one slot,
// whose state is the state directory itself.
func (c *Config) placeSlots(lines []int) error {
	if len(c.Slots) == 0 {
		c.Slots = []Slot{{Name: "scm0", State: c.State, Backend: c.Backend}}
		return nil
	}
	names, states := map[string]bool{}, map[string]bool{}
	for i := range c.Slots {
		s := &c.Slots[i]
		s.placeIn(i, c)
		if names[s.Name] {
			return atLine(c.Source.File, lines[i], fmt.Errorf("slot: the name %q is taken", s.Name))
		}
		if states[s.State] {
			return atLine(c.Source.File, lines[i], fmt.Errorf("slot: the state directory %s is taken", s.State))
		}
		names[s.Name], states[s.State] = true, true
	}
	return c.checkPools(lines, states)
}

// mostFurther is how many SCMs a pool can have beside the first.
const mostFurther = 63

// checkPools returns an error for an SCM that is named twice: one that signs for a slot is sealed to the
// token of that slot, and to no other.
func (c *Config) checkPools(lines []int, taken map[string]bool) error {
	for i, s := range c.Slots {
		for _, path := range s.Pool {
			if taken[path] {
				return atLine(c.Source.File, lines[i], fmt.Errorf("slot.pool: %s is taken: an SCM is that of one slot, or in one pool", path))
			}
			taken[path] = true
		}
	}
	return nil
}

func (s *Slot) placeIn(id int, c *Config) {
	if s.Name == "" {
		s.Name = "scm" + strconv.Itoa(id)
	}
	if s.State == "" {
		s.State = s.Name
	}
	s.State = value.Absolute(c.State, s.State)
	for i, path := range s.Pool {
		s.Pool[i] = value.Absolute(c.State, path)
	}
	if s.Backend == "" {
		s.Backend = c.Backend
	}
}
