// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// version is that of the git tag: make has the linker write it here (scripts/version.sh).
var version = "unknown"

// versionTold is what "version" tells.
type versionTold struct {
	Version string `json:"version"`
}

func newVersionCommand() *cobra.Command {
	o := &output{}
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this tool, which is that of the module that came with it",
		Args:  cobra.NoArgs,
		RunE:  o.printVersion,
	}
	o.addJSON(c)
	return c
}

func (o *output) printVersion(c *cobra.Command, _ []string) error {
	o.out = c.OutOrStdout()
	v := versionTold{version}
	return o.print("version/1", v, v.printText)
}

func (v versionTold) printText(w io.Writer) { fmt.Fprintln(w, "zk_pkcs11-util", v.Version) }
