// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/sha256"
	"database/sql"
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

// bootFile is a row of the table boot_file.
type bootFile struct {
	path      string
	slot      scm.Slot
	signature []byte
}

// SetBootPolicy says what happens in production mode when the signature of a file
// is wrong. Whether the SCM heeds it is up to Options.BootFailure.
func (d *Device) SetBootPolicy(policy int) error {
	if policy < BootPolicyNone || policy > BootPolicyHold {
		return fmt.Errorf("boot policy %d: %w", policy, scm.ErrInput)
	}
	return d.set(func(c *condition) error {
		c.Boot.Policy = policy
		return nil
	})
}

// AddBootFile has the SCM hash a file as it is now, sign the hash with the key in
// a permanent slot, and check the signature at every start. The path is relative
// to Options.BootDir and has no white space. A second time it is an update.
// ErrInput for another path or a file that cannot be read; ErrSlotRange for a
// slot that is not permanent.
func (d *Device) AddBootFile(path string, slot scm.Slot) error {
	if err := scm.CheckBootFile(path, slot); err != nil {
		return err
	}
	digest, err := d.digestOf(path)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	signature, err := d.signFile(slot, digest)
	if err != nil {
		return err
	}
	return d.transact(func(tx *sql.Tx, _ *effect) error {
		_, err := tx.Exec("REPLACE INTO boot_file (path, slot, signature) VALUES (?, ?, ?)", path, int(slot), signature)
		return err
	})
}

// signFile signs as the SCM does for itself: with an Ed25519 key also where hosts get
// no such signatures.
func (d *Device) signFile(s scm.Slot, digest []byte) ([]byte, error) {
	return d.signWith(s, func(k *private) ([]byte, error) {
		always := *k
		always.use = settings.Ed25519Digest
		return always.sign(d.hedged(), digest)
	})
}

func (d *Device) digestOf(path string) ([]byte, error) {
	file, err := descriptor.Open(filepath.Join(d.options.BootDir, path), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return h.Sum(nil), err
}

// RemoveBootFile takes a file out of the manifest. ErrInput when it is not there.
func (d *Device) RemoveBootFile(path string) error {
	if _, err := d.answering(); err != nil {
		return err
	}
	return d.release(func(tx *sql.Tx, _ *effect) error {
		done, err := tx.Exec("DELETE FROM boot_file WHERE path = ?", path)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("boot file %q is not in the manifest: %w", path, scm.ErrInput))
		}
		return nil
	})
}

// BootManifest returns the names of the files of supervised boot with a space
// between them. It is enabled when there are some.
func (d *Device) BootManifest() (string, error) {
	if _, err := d.answering(); err != nil {
		return "", err
	}
	var names []string
	err := d.file.View(func(tx *sql.Tx) error {
		files, err := bootFiles(tx)
		for _, f := range files {
			names = append(names, f.path)
		}
		return err
	})
	return strings.Join(names, " "), fault(err)
}

func bootFiles(tx *sql.Tx) (files []bootFile, err error) {
	err = each(tx, "SELECT path, slot, signature FROM boot_file ORDER BY path", func(rows *sql.Rows) error {
		var f bootFile
		err := rows.Scan(&f.path, &f.slot, &f.signature)
		files = append(files, f)
		return err
	})
	return files, err
}

// VerifyBootFiles returns the names of the files whose signature is wrong now.
func (d *Device) VerifyBootFiles() (failed []string, err error) {
	if _, err := d.current(); err != nil {
		return nil, err
	}
	err = d.file.View(func(tx *sql.Tx) error {
		failed, err = d.wrongFiles(tx)
		return err
	})
	return failed, fault(err)
}

func (d *Device) wrongFiles(tx *sql.Tx) (names []string, err error) {
	files, err := bootFiles(tx)
	if err != nil {
		return nil, err
	}
	f, err := readFlash(tx)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		ok, err := d.right(f, file)
		if err != nil {
			return nil, err
		}
		if !ok {
			names = append(names, file.path)
		}
	}
	return names, nil
}

// right tells whether a file and the key that signed it are there, and the file has the
// contents that were signed. An error
// is a failure of the process itself.
func (d *Device) right(f *flash, file bootFile) (bool, error) {
	digest, err := d.digestOf(file.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errProcess, err)
	}
	k, err := f.key(file.slot)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return verify(k.Key, digest, file.signature)
}

// errProcess says that supervised boot could not look at a file.
var errProcess = fmt.Errorf("supervised boot: %w", scm.ErrDevice)

// superviseBoot checks the files at a start.
func (d *Device) superviseBoot(tx *sql.Tx, c *condition, r *BootReport) error {
	if c.Destroyed {
		return nil
	}
	failed, err := d.wrongFiles(tx)
	code := fatal{Code: 4, Sub: 2}
	switch {
	case errors.Is(err, errProcess):
		code = fatal{Code: 22, Sub: 9}
	case err != nil || len(failed) == 0:
		return err
	}
	r.Failed = failed
	if c.Binding.Locked && d.bootFailure(c) == settings.FailureHold {
		c.Light.die(code, d.clock())
		c.Boot.Held = true
		return nil
	}
	if c.Binding.Locked && d.bootFailure(c) == "" {
		return nil
	}
	return d.selfDestruct(tx, c, code, fatal{Code: 5})
}

// bootFailure is what a wrong file does in production mode, "" for nothing.
func (d *Device) bootFailure(c *condition) string {
	if d.options.BootFailure != settings.FailurePolicy {
		return d.options.BootFailure
	}
	return map[int]string{BootPolicyDestroy: settings.FailureDestroy, BootPolicyHold: settings.FailureHold}[c.Boot.Policy]
}
