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
	list := onAbility(x, "list", "List the files that are checked at each start", cobra.NoArgs, noSupervisedBoot, x.listManifest)
	remove := withExample("scm manifest remove cmdline.txt",
		onAbility(x, "remove FILE...", "Take files out of the manifest", cobra.MinimumNArgs(1), noSupervisedBoot, x.removeBootFiles))
	verify := onAbility(x, "verify", "Check the files as a start would; fails when one is wrong (soft SCM only)", cobra.NoArgs, noBootCheck, x.verifyManifest)
	return commandGroup("manifest", "The files of supervised boot", list, x.addBootFilesCommand(), remove, verify)
}

// bootSigner has the command that adds boot files.
type bootSigner struct {
	tool *scmTool
	slot int // whose key signs
}

func (x *scmTool) addBootFilesCommand() *cobra.Command {
	s := &bootSigner{tool: x}
	c := onAbility(x, "add FILE...", "Sign files as they are now; a second time it is an update", cobra.MinimumNArgs(1), noSupervisedBoot, s.addFiles)
	withExample("scm manifest add kernel8.img cmdline.txt", c)
	c.Flags().IntVar(&s.slot, "key-slot", int(scm.DefaultBootSlot), "`key slot` whose key signs, 0 to 15")
	return c
}

func (s *bootSigner) addFiles(t *target, d bootKeeper, files []string) error {
	if s.slot < 0 || s.slot > int(scm.LastPermanent) {
		return usagef("--key-slot %d: a key in the key slots 0 to %d signs", s.slot, scm.LastPermanent)
	}
	for _, file := range files {
		err := s.tool.unsealed(t, func() error { return d.AddBootFile(file, scm.Slot(s.slot)) })
		if err != nil {
			return aboutBootFile(err)
		}
	}
	return s.tool.listManifest(t, d, nil)
}

func (x *scmTool) removeBootFiles(t *target, d bootKeeper, files []string) error {
	for _, file := range files {
		if err := d.RemoveBootFile(file); err != nil {
			return aboutBootFile(err)
		}
	}
	return x.listManifest(t, d, nil)
}

func (x *scmTool) listManifest(_ *target, d bootKeeper, _ []string) error {
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	return x.printResult(m, m.printFiles)
}

func (m manifest) printFiles(w io.Writer) {
	if len(m.Files) == 0 {
		fmt.Fprintln(w, "The manifest is empty: supervised boot is off")
	}
	for _, file := range m.Files {
		fmt.Fprintln(w, file)
	}
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

func (x *scmTool) verifyManifest(_ *target, d bootVerifier, _ []string) error {
	m, err := readManifest(d)
	if err != nil {
		return err
	}
	if m.Wrong, err = d.VerifyBootFiles(); err != nil {
		return err
	}
	err = x.printResult(m, m.printVerdicts)
	if err == nil && len(m.Wrong) > 0 {
		err = fmt.Errorf("%d of %d files have changed or are gone; \"scm manifest add\" signs them as they are", len(m.Wrong), len(m.Files))
	}
	return err
}

func (m manifest) printVerdicts(w io.Writer) {
	for _, file := range m.Files {
		verdict := "ok"
		if slices.Contains(m.Wrong, file) {
			verdict = "WRONG"
		}
		fmt.Fprintf(w, "%-6s %s\n", verdict, file)
	}
}
