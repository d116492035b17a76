// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"
	"slices"
	"strings"

	"libzk_pkcs11/internal/scm"
)

// The functions of the vendor's library for supervised boot. It has none that
// verifies: the module does that when it starts.
const (
	bootList   = "zkGetSupervisedBootFileManifest"
	bootAdd    = "zkAddOrUpdateSupervisedBootFile"
	bootRemove = "zkRemoveSupervisedBootFile"
)

// BootManifest returns the names of the files of supervised boot with white space
// between them. It is enabled when there are some.
func (d *Device) BootManifest() (names string, err error) {
	if err := d.requireFunctions(bootList); err != nil {
		return "", err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	return d.bootFiles()
}

// bootFiles is BootManifest for a caller that holds calls.
func (d *Device) bootFiles() (names string, err error) {
	for t := d.newTries(); t.next(&err); {
		names, err = d.api.bootFiles()
	}
	return names, err
}

// AddBootFile has the module sign a file as it is now with the key in a permanent
// slot. The path is relative to the boot directory of the host. A second time it is
// an update.
func (d *Device) AddBootFile(path string, signer scm.Slot) (err error) {
	if err := scm.CheckBootFile(path, signer); err != nil {
		return err
	}
	if err := d.requireFunctions(bootAdd); err != nil {
		return err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		err = d.api.addBootFile(path, signer)
	}
	if err != nil {
		err = fmt.Errorf("boot file %q: %w", path, err)
	}
	return err
}

// RemoveBootFile takes a file out of the manifest. ErrInput when it is not there.
func (d *Device) RemoveBootFile(path string) error {
	if err := d.requireFunctions(bootRemove, bootList); err != nil {
		return err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	names, err := d.bootFiles()
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(names), path) {
		return fmt.Errorf("boot file %q is not in the manifest: %w", path, scm.ErrInput)
	}
	return d.api.removeBootFile(path)
}

// requireFunctions returns ErrAbility when the library lacks one of the functions.
func (d *Device) requireFunctions(functions ...string) error {
	for _, f := range functions {
		if !d.hasFunction(f) {
			return fmt.Errorf("%s has no function %s, being an old one: %w", d.libraryName(), f, scm.ErrAbility)
		}
	}
	return nil
}

func (d *Device) libraryName() string {
	if d.options.Library == "" {
		return "the SCM's library"
	}
	return d.options.Library
}
