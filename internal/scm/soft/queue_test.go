// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm/soft/settings"
)

// TestOneAtATime: signatures of two processes, here two openings, do not overlap.
func TestOneAtATime(t *testing.T) {
	const least = 10 * time.Millisecond
	dir := t.TempDir()
	var inUse, most int
	var mu sync.Mutex
	o := Options{Group: -1, Settings: Settings{OneAtATime: true, Latency: settings.Latency{Sign: least}}}
	o.Process.Pause = func(d time.Duration) {
		if d < least { // it waits for another
			time.Sleep(d)
			return
		}
		mu.Lock()
		inUse++
		most = max(most, inUse)
		mu.Unlock()
		time.Sleep(d)
		mu.Lock()
		defer mu.Unlock()
		inUse--
	}
	var all sync.WaitGroup
	for range 2 {
		d, err := Open(dir, o)
		must(t, err)
		t.Cleanup(func() { d.Close() })
		for range 3 {
			all.Go(func() {
				if _, err := d.Sign(0, make([]byte, 32)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d signatures at a time", most)
	}
}
