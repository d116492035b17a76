// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
)

// manifest is what "scm manifest" tells of the files of supervised boot.
type manifest struct {
	Files []string `json:"files"` // relative to the boot directory
	Wrong []string `json:"wrong,omitempty"`
}

// bootKeeper is an SCM with supervised boot.
type bootKeeper interface {
	AddBootFile(path string, signer scm.Slot) error
	RemoveBootFile(path string) error
	BootManifest() (string, error)
}

// bootVerifier is one that checks the files when it is asked to.
type bootVerifier interface {
	bootKeeper
	VerifyBootFiles() (wrong []string, err error)
}

const (
	noSupervisedBoot = "this SCM has no supervised boot"
	noBootCheck      = "the SCM checks the files when it starts, and only then: the vendor's C API has no function for it; " +
		"\"scm led 4 2\" tells what the LED shows of a wrong file"
)

func (x *scmTool) manifestCommand() *cobra.Command {
	var signer int
	add := onAbility(x, "add FILE...", "Sign files as they are now; a second time it is an update", cobra.MinimumNArgs(1), noSupervisedBoot,
		func(t *target, d bootKeeper, files []string) error {
			return x.changeManifest(d, files, func(file string) error {
				return x.unsealed(t, func() error { return d.AddBootFile(file, scm.Slot(signer)) })
			})
		})
	add.Flags().IntVar(&signer, "key-slot", int(scm.DefaultBootSlot), "`key slot` whose key signs, 0 to 15")
	remove := onAbility(x, "remove FILE...", "Take files out of the manifest", cobra.MinimumNArgs(1), noSupervisedBoot,
		func(_ *target, d bootKeeper, files []string) error {
			return x.changeManifest(d, files, d.RemoveBootFile)
		})
	list := onAbility(x, "list", "List the files that are checked at each start", cobra.NoArgs, noSupervisedBoot,
		func(_ *target, d bootKeeper, _ []string) error { return x.changeManifest(d, nil, nil) })
	verify := onAbility(x, "verify", "Check the files as a start would; fails when one is wrong (soft SCM only)", cobra.NoArgs, noBootCheck,
		func(_ *target, d bootVerifier, _ []string) error { return x.verifyManifest(d) })
	return commandGroup("manifest", "The files of supervised boot", list, add, remove, verify)
}

// changeManifest does something to files and shows the manifest after it.
func (x *scmTool) changeManifest(d bootKeeper, files []string, change func(file string) error) error {
	for _, file := range files {
		if err := change(file); err != nil {
			return aboutBootFile(err)
		}
	}
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	return x.printResult(m, func(w io.Writer) {
		if len(m.Files) == 0 {
			fmt.Fprintln(w, "The manifest is empty: supervised boot is off")
		}
		for _, file := range m.Files {
			fmt.Fprintln(w, file)
		}
	})
}

// aboutBootFile tells how files are named where that can be what is wrong.
func aboutBootFile(err error) error {
	if errors.Is(err, scm.ErrInput) || errors.Is(err, scm.ErrDevice) {
		return fmt.Errorf("%w (names are relative to the boot directory, such as kernel8.img)", err)
	}
	return err
}

func readManifest(d bootKeeper) (manifest, error) {
	names, err := d.BootManifest()
	return manifest{Files: append([]string{}, strings.Fields(names)...)}, err
}

func (x *scmTool) verifyManifest(d bootVerifier) error {
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	if m.Wrong, err = d.VerifyBootFiles(); err != nil {
		return err
	}
	err = x.printResult(m, func(w io.Writer) {
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
