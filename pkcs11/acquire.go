// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/turn"

// acquire takes a lock that another call may hold as long as a device or another process
// takes (Options.Pause).
func (p *Provider) acquire(l turn.Locker) { turn.Take(l, p.options.Pause) }

// acquire is that of the provider.
func (t *token) acquire(l turn.Locker) { t.slot.provider.acquire(l) }
