// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"strings"
	"testing"

	"libzk_pkcs11/internal/store"
)

// What a token costs to use must not grow with what others keep on it.
func TestNothingReadsWholeTables(t *testing.T) {
	s := open(t, t.TempDir())
	for _, statement := range store.Statements() {
		plan, err := s.Explain(statement)
		if err != nil {
			t.Errorf("%s: %v", statement, err)
		}
		for _, step := range plan {
			whole := strings.HasPrefix(step, "SCAN records") || strings.HasPrefix(step, "SCAN terms")
			if whole && !strings.HasSuffix(step, "INDEX records_slot") {
				t.Errorf("%s: %s", statement, step)
			}
		}
	}
}
