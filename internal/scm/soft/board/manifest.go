// SPDX-License-Identifier: Apache-2.0

package board

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// Values of SetBootPolicy; the numbers are the vendor's.
const (
	BootPolicyNone = iota
	BootPolicyDestroy
	BootPolicyHold
)

// SetBootPolicy says what happens in production mode when the signature of a file
// is wrong. Whether the SCM heeds it is up to Settings.BootFailure.
func (b *Board) SetBootPolicy(policy int) error {
	if policy < BootPolicyNone || policy > BootPolicyHold {
		return fmt.Errorf("boot policy %d: %w", policy, scm.ErrInput)
	}
	return b.changeByHost(func(c *Condition) error {
		c.Boot.Policy = policy
		return nil
	})
}

// AddBootFile has the SCM hash a file as it is now, sign the hash with the key in
// a permanent slot, and check the signature at every start. The path is relative
// to Settings.BootDir and has no white space. A second time it is an update.
// ErrInput for another path or a file that cannot be read; ErrSlotRange for a
// slot that is not permanent.
func (b *Board) AddBootFile(path string, slot scm.Slot) error {
	if err := scm.CheckBootFile(path, slot); err != nil {
		return err
	}
	digest, err := b.digestOf(path)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	signature, err := b.memory.SignFile(slot, digest)
	if err != nil {
		return err
	}
	return b.memory.StoreFile(File{path, slot, signature})
}

func (b *Board) digestOf(path string) ([]byte, error) {
	file, err := descriptor.Open(filepath.Join(b.settings().BootDir, path), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return h.Sum(nil), err
}

// RemoveBootFile takes a file out of the manifest. ErrInput when it is not there.
func (b *Board) RemoveBootFile(path string) error {
	if _, err := b.memory.Answering(); err != nil {
		return err
	}
	return b.memory.RemoveFile(path)
}

// BootManifest returns the names of the files of supervised boot with a space
// between them. It is enabled when there are some.
func (b *Board) BootManifest() (string, error) {
	if _, err := b.memory.Answering(); err != nil {
		return "", err
	}
	files, err := b.memory.Files()
	if err != nil {
		return "", err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Path
	}
	return strings.Join(names, " "), nil
}

// VerifyBootFiles returns the names of the files whose signature is wrong now.
func (b *Board) VerifyBootFiles() (failed []string, err error) {
	err = b.memory.View(func(keys Keys) error {
		failed, err = b.wrongFiles(keys)
		return err
	})
	return failed, err
}

func (b *Board) wrongFiles(keys Keys) (names []string, err error) {
	files, err := keys.Files()
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		ok, err := b.checkFile(keys, file)
		if err != nil {
			return nil, err
		}
		if !ok {
			names = append(names, file.Path)
		}
	}
	return names, nil
}

// checkFile reports whether a file and the key that signed it are there, and the file has the
// contents that were signed. An error
// is a failure of the process itself.
func (b *Board) checkFile(keys Keys, file File) (bool, error) {
	digest, err := b.digestOf(file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errProcess, err)
	}
	ok, err := keys.Verify(file.Signer, digest, file.Signature)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return false, nil
	}
	return ok, err
}

// errProcess says that supervised boot could not look at a file.
var errProcess = fmt.Errorf("supervised boot: %w", scm.ErrDevice)

// superviseBoot checks the files at a start, and returns those that are wrong.
func (b *Board) superviseBoot(keys Keys, c *Condition) ([]string, error) {
	if c.Destroyed {
		return nil, nil
	}
	failed, err := b.wrongFiles(keys)
	code := fatal{Code: 4, Sub: 2}
	switch {
	case errors.Is(err, errProcess):
		code = fatal{Code: 22, Sub: 9}
	case err != nil || len(failed) == 0:
		return nil, err
	}
	switch failure := b.bootFailure(c); {
	case c.Binding.Locked && failure == settings.FailureHold:
		c.Light.showFatal(code, b.now())
		c.Boot.Held = true
	case !c.Binding.Locked || failure == settings.FailureDestroy:
		b.selfDestruct(c, code, fatal{Code: 5})
	}
	return failed, nil
}

// bootFailure is what a wrong file does in production mode, "" for nothing.
func (b *Board) bootFailure(c *Condition) string {
	if b.settings().BootFailure != settings.FailurePolicy {
		return b.settings().BootFailure
	}
	return map[int]string{BootPolicyDestroy: settings.FailureDestroy, BootPolicyHold: settings.FailureHold}[c.Boot.Policy]
}
