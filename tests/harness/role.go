// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const roleVariable = "ZK_TEST_ROLE"

// ModuleVariable names the file of the module to a process that plays a role.
const ModuleVariable = "ZK_TEST_MODULE"

// Play is the body of TestMain in a test that starts its own program again, which
// then plays a role with the module.
func Play(m *testing.M, roles map[string]func(module string) error) {
	role, play := roles[os.Getenv(roleVariable)]
	if !play {
		os.Exit(m.Run())
	}
	if err := role(os.Getenv(ModuleVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Role prepares the test's own program to play a role with the soft SCM.
func (h *Home) Role(role string) *exec.Cmd {
	h.t.Helper()
	cmd := h.Command(os.Args[0])
	cmd.Env = append(cmd.Env, roleVariable+"="+role, ModuleVariable+"="+Module(h.t))
	return cmd
}
