// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
)

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish", Short: "Print what completes commands and options in a shell",
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      cobra.ExactArgs(1),
		Example:   "  . <(zk_pkcs11-util completion bash)",
		RunE:      printCompletion,
	}
}

func printCompletion(c *cobra.Command, words []string) error {
	root, out := c.Root(), c.OutOrStdout()
	switch words[0] {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	}
	return usagef("there is no completion for %q; there is one for bash, zsh and fish", words[0])
}
