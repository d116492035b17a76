// SPDX-License-Identifier: Apache-2.0

package soft

import "time"

// Time returns the time of the SCM's clock in seconds since 1970. A precise answer
// comes at the moment in which the second begins, up to 1 s later.
func (d *Device) Time(precise bool) (uint32, error) {
	s, err := d.answering()
	if err != nil {
		return 0, err
	}
	if precise {
		now := d.read(&s.condition)
		d.pause(now.Truncate(time.Second).Add(time.Second).Sub(now))
	}
	return d.seconds(&s.condition), nil
}

// RTCDrift returns how many millionths the SCM's clock is too fast.
func (d *Device) RTCDrift() (float32, error) {
	if _, err := d.answering(); err != nil {
		return 0, err
	}
	return d.options.Drift, nil
}

// read returns the time of the SCM's clock, which was right when the SCM was
// made.
func (d *Device) read(c *condition) time.Time {
	now := d.clock()
	return now.Add(time.Duration(float64(now.Sub(c.Made)) * float64(d.options.Drift) / 1e6))
}

func (d *Device) seconds(c *condition) uint32 { return uint32(d.read(c).Unix()) }
