// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"libzk_pkcs11/pkcs11"
)

// secretBytes is how many random bytes a new secret has: as many as the strongest key of a disk.
const secretBytes = 32

// longestSecret is how long a secret may be, which is as long as cryptsetup takes a passphrase from a terminal.
const longestSecret = 512

// secretTool is what the commands below "secret" share.
type secretTool struct {
	tokenTool
	from string // the file with the secret; "" = a new one is drawn
}

// newSecretCommand has the commands for a secret that only one SCM unlocks, such as the passphrase of a disk.
func newSecretCommand() *cobra.Command {
	x := &secretTool{}
	c := commandGroup("secret", "Lock a secret so that only this SCM unlocks it, such as the passphrase of a disk",
		x.lockCommand(), x.unlockCommand())
	x.addTo(c)
	return c
}

func (x *secretTool) lockCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "lock FILE", Short: "Write a secret to a file that only this SCM unlocks", Args: cobra.ExactArgs(1),
		Long: "Write a secret to a file that only this SCM unlocks (CKM_ZK_LOCK). The SCM draws a new secret of 64 hexadecimal digits, unless --from " +
			"names a file that has one. A file that is there already stays as it is.",
		Example: "  zk_pkcs11-util secret lock /etc/zk_pkcs11/disk.secret",
		RunE:    func(_ *cobra.Command, words []string) error { return x.lockInto(words[0]) },
	}
	c.Flags().StringVar(&x.from, "from", "", "`FILE` with the secret, all bytes of it, in place of a new one")
	return c
}

func (x *secretTool) unlockCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unlock FILE", Short: "Write the secret of a locked file to the standard output, unless that is a terminal", Args: cobra.ExactArgs(1),
		Example: "  zk_pkcs11-util secret unlock disk.secret | cryptsetup open -d - /dev/sdb1 data",
		RunE:    func(_ *cobra.Command, words []string) error { return x.unlockFrom(words[0]) },
	}
}

// lockInto writes a file that was not there: the one that a disk needs must not be lost by a repeated command.
func (x *secretTool) lockInto(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already, and a disk may need it; name another file, or move it away", path)
	}
	return x.withLogin(func(p *pkcs11.Provider, session uint) error {
		plain, err := x.newSecret(p, session)
		if err != nil {
			return err
		}
		defer clear(plain)
		locked, err := locked(p, session, plain)
		if err != nil {
			return err
		}
		err = writePlaced(path, locked, renameToNew)
		if pathOfError(err) != "" {
			return notWritten("FILE", err)
		}
		return err
	})
}

// renameToNew fails where a file has the name: another one may have come while the SCM was asked.
func renameToNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // such as of NFS
		err = os.Link(from, to)
		if err == nil {
			err = os.Remove(from)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s has come meanwhile, and a disk may need it; name another file", to)
	}
	return err
}

// newSecret returns the secret that is to be locked.
func (x *secretTool) newSecret(p *pkcs11.Provider, session uint) ([]byte, error) {
	if x.from != "" {
		return readSecret(x.from, longestSecret)
	}
	drawn := make([]byte, secretBytes)
	defer clear(drawn)
	if err := p.GenerateRandom(session, drawn); err != nil {
		return nil, err
	}
	return hex.AppendEncode(nil, drawn), nil
}

// longestLocked is more than a locked secret has.
const longestLocked = 2 * longestSecret

// readSecret reads a file that has something in it, and not too much.
func readSecret(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, most+1)
	n, err := io.ReadFull(f, content)
	if err != io.ErrUnexpectedEOF {
		clear(content)
	}
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("%s has no secret in it", path)
	case n > most:
		return nil, fmt.Errorf("%s is longer than %d bytes, and no secret; name the file that has it", path, most)
	case err != io.ErrUnexpectedEOF:
		return nil, err
	}
	return content[:n], nil
}

// unlockFrom writes a secret to where a program reads it.
func (x *secretTool) unlockFrom(path string) error {
	if f, is := x.out.(*os.File); is && term.IsTerminal(int(f.Fd())) {
		return usagef("a secret is not shown on a terminal; give it to the program that needs it, by a pipe")
	}
	content, err := readSecret(path, longestLocked)
	if err != nil {
		return err
	}
	return x.withLogin(func(p *pkcs11.Provider, session uint) error {
		plain, err := unlocked(p, session, content)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer clear(plain)
		_, err = x.out.Write(plain)
		return err
	})
}

// errOtherSCM is the answer to what this SCM has not locked.
var errOtherSCM = errors.New("this SCM has not locked it, or it is damaged; a disk needs its other passphrase, or the SCM that locked its secret")

// oneWay is the mechanism by which an SCM locks what it alone unlocks. The key that modules share would open a disk
// that was copied.
func oneWay() *pkcs11.Mechanism { return &pkcs11.Mechanism{Type: pkcs11.CKM_ZK_LOCK} }

// lockedRoom is more than locking adds.
const lockedRoom = 256

func locked(p *pkcs11.Provider, session uint, plain []byte) ([]byte, error) {
	if err := p.EncryptInit(session, oneWay(), pkcs11.CK_INVALID_HANDLE); err != nil {
		return nil, err
	}
	result := make([]byte, len(plain)+lockedRoom)
	n := uint(len(result))
	err := p.Encrypt(session, plain, pkcs11.Output[byte]{Buffer: result, Length: &n})
	return result[:n], err
}

func unlocked(p *pkcs11.Provider, session uint, content []byte) ([]byte, error) {
	if err := p.DecryptInit(session, oneWay(), pkcs11.CK_INVALID_HANDLE); err != nil {
		return nil, err
	}
	result := make([]byte, len(content))
	n := uint(len(result))
	switch err := p.Decrypt(session, content, pkcs11.Output[byte]{Buffer: result, Length: &n}); err {
	case nil:
		return result[:n], nil
	case pkcs11.CKR_ENCRYPTED_DATA_INVALID, pkcs11.CKR_ENCRYPTED_DATA_LEN_RANGE:
		return nil, errOtherSCM
	default:
		return nil, err
	}
}
