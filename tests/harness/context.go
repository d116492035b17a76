// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"os/exec"
)

// CommandContext is Command for a program that ends with the context.
func (h *Home) CommandContext(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = h.Environ()
	return cmd
}
