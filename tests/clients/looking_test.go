// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestListingMakesNothing: programs that list tokens leave nothing in the home of the user who runs them,
// and find the token all the same.
func TestListingMakesNothing(t *testing.T) {
	t.Parallel()
	harness.Need(t, "p11tool")
	harness.Need(t, "pkcs11-tool")
	if harness.OverVendor() {
		t.Skip("the library in place of the vendor's makes its soft SCM when it is opened")
	}
	s := newP11Kit(t)
	before := s.filesBelow()
	mustContain(t, s.run("p11tool", "--list-tokens"), "Model: Soft SCM", "Uninitialized")
	mustContain(t, s.run("pkcs11-tool", "--module", s.module(), "--list-slots"), "uninitialized")
	mustContain(t, s.run("pkcs11-tool", "--module", s.module(), "--list-mechanisms"), "ECDSA-SHA256")
	mustContain(t, s.run("p11-kit", "list-modules"), "model: Soft SCM")
	mustContain(t, s.run(s.util(), "--show-slots"), "Soft SCM")
	if after := s.filesBelow(); !slices.Equal(after, before) {
		t.Errorf("there was %q in the home directory, now there is %q", before, after)
	}
	s.initToken()
	mustContain(t, s.run("p11tool", "--list-tokens"), "token="+harness.Label)
}

// filesBelow lists what is in the home directory.
func (s *sandbox) filesBelow() []string {
	s.t.Helper()
	out := s.run("find", s.home(), "-not", "-path", s.home()+"/.cache*") // which OpenSC makes
	list := strings.Fields(out)
	slices.Sort(list)
	return list
}
