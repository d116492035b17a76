// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "testing"

// TestIndexWithoutLog: a process that is killed while it makes a file leaves an index and no log. What it says
// of nothing is true; what it says of changes is not.
func TestIndexWithoutLog(t *testing.T) {
	o := &opened{}
	for changes, fits := range []bool{0: true, 1: false} {
		var index indexHead
		index.all, index.page = changes, 4096
		if got := o.indexFits(index); got != fits {
			t.Errorf("an index of %d pages fits: %v", changes, got)
		}
	}
}
