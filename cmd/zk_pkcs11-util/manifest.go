// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

// manifest is what "scm manifest" tells of the files of supervised boot.
type manifest struct {
	Files []string `json:"files"` // relative to the boot directory
	Wrong []string `json:"wrong,omitempty"`
}

func (x *scmTool) manifestCommand() *cobra.Command {
	var signer int
	add := x.onSoft("add FILE...", "Sign files as they are now; a second time it is an update", cobra.MinimumNArgs(1),
		func(t *target, d *soft.Device, files []string) error {
			return x.changeManifest(d, files, func(file string) error {
				return x.unsealed(t, func() error { return d.AddBootFile(file, scm.Slot(signer)) })
			})
		})
	add.Flags().IntVar(&signer, "key-slot", int(soft.DefaultBootSlot), "`key slot` whose key signs, 0 to 15")
	remove := x.onSoft("remove FILE...", "Take files out of the manifest", cobra.MinimumNArgs(1),
		func(_ *target, d *soft.Device, files []string) error {
			return x.changeManifest(d, files, d.RemoveBootFile)
		})
	list := x.onSoft("list", "List the files that are checked at each start", cobra.NoArgs,
		func(_ *target, d *soft.Device, _ []string) error { return x.changeManifest(d, nil, nil) })
	verify := x.onSoft("verify", "Check the files as a start would; fails when one is wrong", cobra.NoArgs,
		func(_ *target, d *soft.Device, _ []string) error { return x.verifyManifest(d) })
	return group("manifest", "The files of supervised boot", list, add, remove, verify)
}

// changeManifest does something to files and shows the manifest after it.
func (x *scmTool) changeManifest(d *soft.Device, files []string, change func(file string) error) error {
	for _, file := range files {
		if err := change(file); err != nil {
			return fmt.Errorf("%w (names are relative to %s)", err, d.Options().BootDir)
		}
	}
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	return x.print(m, func(w io.Writer) {
		if len(m.Files) == 0 {
			fmt.Fprintln(w, "The manifest is empty: supervised boot is off")
		}
		for _, file := range m.Files {
			fmt.Fprintln(w, file)
		}
	})
}

func readManifest(d *soft.Device) (manifest, error) {
	names, err := d.BootManifest()
	return manifest{Files: append([]string{}, strings.Fields(names)...)}, err
}

func (x *scmTool) verifyManifest(d *soft.Device) error {
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	if m.Wrong, err = d.VerifyBootFiles(); err != nil {
		return err
	}
	err = x.print(m, func(w io.Writer) {
		for _, file := range m.Files {
			verdict := "ok"
			if slices.Contains(m.Wrong, file) {
				verdict = "WRONG"
			}
			fmt.Fprintf(w, "%-6s %s\n", verdict, file)
		}
	})
	if err == nil && len(m.Wrong) > 0 {
		err = fmt.Errorf("%d of %d files have changed or are gone; \"scm manifest add\" signs them as they are", len(m.Wrong), len(m.Files))
	}
	return err
}
