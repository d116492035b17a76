// SPDX-License-Identifier: Apache-2.0

package board

import "time"

// Time returns the time of the SCM's clock in seconds since 1970.
func (b *Board) Time() (uint32, error) {
	c, err := b.memory.Answering()
	if err != nil {
		return 0, err
	}
	return b.seconds(&c), nil
}

// NextSecond is Time that answers at the moment in which the second begins, up to 1 s later.
func (b *Board) NextSecond() (uint32, error) {
	c, err := b.memory.Answering()
	if err != nil {
		return 0, err
	}
	now := b.readClock(&c)
	b.memory.Pause(now.Truncate(time.Second).Add(time.Second).Sub(now))
	return b.seconds(&c), nil
}

// RTCDrift returns how many millionths the SCM's clock is too fast.
func (b *Board) RTCDrift() (float32, error) {
	if _, err := b.memory.Answering(); err != nil {
		return 0, err
	}
	return b.settings().Drift, nil
}

// readClock returns the time of the SCM's clock, which was right when the SCM was
// made.
func (b *Board) readClock(c *Condition) time.Time {
	now := b.now()
	return now.Add(time.Duration(float64(now.Sub(c.Made)) * float64(b.settings().Drift) / 1e6))
}

func (b *Board) seconds(c *Condition) uint32 { return uint32(b.readClock(c).Unix()) }
