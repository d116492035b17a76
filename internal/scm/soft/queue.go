// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"libzk_pkcs11/internal/sharedfile"
)

// An SCM does one thing at a time, whichever process asks for it. With the setting one_at_a_time
// so does the soft SCM, in the calls that take their time.

const queueName = "queue.lock"

// How long a call waits for those before it: as long as so many of its kind take, and not less than leastQueueWait.
// It then goes on beside them, for the process of one of them may have been stopped.
const (
	mostBefore     = 100
	leastQueueWait = time.Second
)

// openQueue opens the lock of the calls. A process that cannot write it waits for nobody.
func (o Options) openQueue(dir string) *sharedfile.Lock {
	if !o.OneAtATime || o.ReadOnly {
		return nil
	}
	queue, err := sharedfile.OpenLock(filepath.Join(dir, queueName), flashName, sharedfile.Options{Mode: o.Mode, Group: o.Group, Process: o.Process})
	if err != nil {
		return nil
	}
	return queue
}

// waitLatency makes a call last that would take no time.
func (d *Device) waitLatency(latency time.Duration) {
	if latency <= 0 {
		return
	}
	release, err := d.queue.Exclusive(max(mostBefore*latency, leastQueueWait))
	if err == nil {
		defer release()
	}
	d.pauseFor(latency)
}

// removeQueue removes the lock of the calls, if there is one.
func removeQueue(dir string) error {
	err := os.Remove(filepath.Join(dir, queueName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
