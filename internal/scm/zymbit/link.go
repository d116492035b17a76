// SPDX-License-Identifier: Apache-2.0

package zymbit

// retry calls f with an open context. When f fails it does so once more with a
// new one: a context does not survive a restart of the vendor's daemon, and its
// failures tell nothing of that.
func (d *Device) retry(f func() error) error {
	d.calls.Lock()
	defer d.calls.Unlock()
	return d.retryLocked(f)
}

func (d *Device) retryLocked(f func() error) error {
	err := d.onceLocked(f)
	if !refused(err) {
		return err
	}
	d.api.close()
	d.forget() // a module that has started anew may have lost keys
	return d.onceLocked(f)
}

// onceLocked calls f with an open context. The caller holds calls.
func (d *Device) onceLocked(f func() error) error {
	if d.closed {
		return errClosed
	}
	if err := d.api.open(); err != nil {
		return err
	}
	return f()
}
