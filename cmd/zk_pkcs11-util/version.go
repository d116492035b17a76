// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// version is that of the git tag: make has the linker write it here (scripts/version.sh).
var version = "unknown"

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this tool, which is that of the module that came with it",
		Args:  cobra.NoArgs,
		Run:   printVersion,
	}
}

func printVersion(c *cobra.Command, _ []string) {
	fmt.Fprintln(c.OutOrStdout(), c.Root().Name(), version)
}
