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
	if s.Backend == "" {
		s.Backend = c.Backend
	}
}
