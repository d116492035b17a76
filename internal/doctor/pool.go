// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/setup"
)

// lookAtPool looks at the further SCMs of a slot.
func (v *visit) lookAtPool(l setup.Look) {
	members := l.Pool()
	out := 0
	for _, m := range members {
		if err := askMember(m); err != nil {
			out++
			v.tellMember(m, err)
		}
	}
	if len(members) > 0 {
		v.note("Pool", "%d SCMs beside the first, of which %d sign", len(members), len(members)-out)
	}
}

// askMember asks an SCM who it is, and closes it.
func askMember(m setup.PoolDevice) error {
	if m.Err != nil {
		return m.Err
	}
	_, err := m.Device.Info()
	return errors.Join(err, m.Device.Close())
}

func (v *visit) tellMember(m setup.PoolDevice, err error) {
	words := []string{"status", "--member", m.Path}
	if errors.Is(err, scm.ErrNone) {
		words = []string{"wallet", "restore", "NAME", "--member", m.Path}
	}
	v.tell(Finding{
		Name: "pool-member-out", Level: Warning,
		What:    fmt.Sprintf("%s of the pool is left out: %v", m.Path, err),
		Why:     "the other SCMs make its signatures, so that there are fewer each second",
		Command: v.scmCommand(words...),
	})
}
