// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/backup"
	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

func (x *tokenTool) backupCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write a copy of the token, as it is at one moment, to a file", Args: cobra.ExactArgs(1),
		Long: "Write a copy of the token, as it is at one moment, to a file, while programs use it. It takes the user's PIN, by whose secret the backup is " +
			"authenticated. With a soft SCM its keys are in it, sealed as they are. Keys in the key slots of an SCM in hardware are not: nobody takes them out. " +
			"A FILE that is there is replaced once that is confirmed.",
		Example: "  zk_pkcs11-util token backup /backup/token",
		RunE:    func(_ *cobra.Command, words []string) error { return x.backUp(words[0]) },
	}
	c.Flags().BoolVar(&x.yes, "yes", false, "do not ask before a FILE that is there is replaced")
	c.Flags().BoolVar(&x.yes, "force", false, "the same as --yes")
	return c
}

// confirmReplacing asks whether an earlier backup may go: it may be the last one with a key in it that is deleted since.
func (x *tokenTool) confirmReplacing(path string) error {
	if _, err := os.Lstat(path); err != nil || x.yes {
		return nil
	}
	return x.ask.confirm(path + " is there already, and what is in it will be lost.")
}

// backUp writes FILE as a whole, or not at all.
func (x *tokenTool) backUp(path string) error {
	if err := x.confirmReplacing(path); err != nil {
		return err
	}
	settings, label, secret, err := x.secretOfToken()
	if err != nil {
		return err
	}
	defer clear(secret)
	t, err := openTarget(x.slot)
	if err != nil {
		return err
	}
	b, err := collect(t, settings.Slots[x.slot].State, label)
	if err = errors.Join(err, t.closeFiles()); err != nil {
		return err
	}
	key := store.BackupKey(secret)
	defer key.Destroy()
	whole, err := b.Encode(key.Bytes())
	if err != nil {
		return err
	}
	if err := writeWhole(path, whole); err != nil {
		return unwritten(err)
	}
	x.warnOfBackup(b)
	told := newBackupTold(path, b)
	return x.print("token-backup/1", told, told.printText)
}

// unwritten says why there is no backup, and what to do.
func unwritten(err error) error {
	return &unwritable{fmt.Errorf("no backup was made: %w; %s", err, wayToWrite(err))}
}

// backupTold is what "token backup" tells.
type backupTold struct {
	File   string   `json:"file"`
	Label  string   `json:"label"`
	Serial string   `json:"serial"`
	Files  []string `json:"files"` // that are in it
}

func newBackupTold(path string, b *backup.Backup) backupTold {
	t := backupTold{File: path, Label: b.Label, Serial: b.Serial}
	for _, f := range b.Files {
		t.Files = append(t.Files, f.Name)
	}
	return t
}

func (t backupTold) printText(w io.Writer) {
	fmt.Fprintf(w, "The token %q of the SCM %s is in %s: %s\n", t.Label, t.Serial, t.File, count(len(t.Files), "file"))
}

// warnOfBackup says what a backup does not have, or has.
func (x *tokenTool) warnOfBackup(b *backup.Backup) {
	switch {
	case b.File(soft.FlashFile) == nil:
		fmt.Fprintln(x.ask.err, "The keys in the key slots of the SCM are not in it: nobody takes them out.")
	case b.File(soft.RootKeyFile) != nil:
		fmt.Fprintln(x.ask.err, "Somebody who can read it has the keys of the soft SCM: its root key is in it, for no secret seals that.")
	}
}

// secretOfToken is the token's secret, which its PIN gives, after a login that has looked whether the token and its SCM belong together.
func (x *tokenTool) secretOfToken() (settings config.Config, label string, secret []byte, err error) {
	pin, err := x.ask.pin(&x.userPIN)
	if err != nil {
		return settings, "", nil, err
	}
	defer clear(pin)
	err = withProvider(func(p *pkcs11.Provider, c config.Config) error {
		settings = c
		if err := x.chooseSlot(p, c); err != nil {
			return err
		}
		info, err := p.GetTokenInfo(x.slot)
		if err != nil {
			return err
		}
		label = info.Label
		return withUser(p, x.slot, pin, loggedIn)
	})
	if err != nil {
		return settings, "", nil, err
	}
	t, err := openTarget(x.slot)
	if err != nil {
		return settings, "", nil, err
	}
	secret, err = t.store.CheckPIN(store.NormalUser, pin)
	return settings, label, secret, errors.Join(err, t.closeFiles())
}

// imager is a soft SCM that can be copied as it is.
type imager interface {
	Image(func(image []byte) error) error
}

// loggedIn has nothing to do in a session but to have logged in.
func loggedIn(uint) error { return nil }

// collection is a backup of a token that is being made.
type collection struct {
	*target
	*backup.Backup
	state string // the directory
}

// collect takes all files at one moment: while it does nobody changes the token or the SCM. Its locks are
// taken in the order of C_InitToken.
func collect(t *target, state, label string) (*backup.Backup, error) {
	info, err := t.device.Info()
	if err != nil {
		return nil, err
	}
	c := collection{t, backup.New(label, info.Serial), state}
	directory, err := setup.OwnerOf(state)
	if err != nil {
		return nil, err
	}
	c.Directory = describeFile("", directory)
	counts, owner, err := setup.ReadFile(filepath.Join(state, store.CountsFile)) // not newer than the rest
	if err != nil {
		return nil, err
	}
	if err := t.store.Image(c.addDatabase); err != nil {
		return nil, err
	}
	c.add(store.CountsFile, counts, owner)
	return c.Backup, nil
}

// addDatabase adds the token's store, and the soft SCM as it is at this moment.
func (c collection) addDatabase(database []byte) error {
	if err := c.addImage(store.DatabaseFile, database); err != nil {
		return err
	}
	d, can := c.device.(imager)
	if !can {
		return nil
	}
	return d.Image(c.addFlash)
}

// addFlash adds the files of the soft SCM.
func (c collection) addFlash(flash []byte) error {
	root, owner, err := setup.ReadFile(filepath.Join(c.state, soft.RootKeyFile))
	if err == nil {
		c.add(soft.RootKeyFile, root, owner)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.addImage(soft.FlashFile, flash)
}

// addImage adds a file of which there is a copy of one moment.
func (c collection) addImage(name string, content []byte) error {
	owner, err := setup.OwnerOfFile(filepath.Join(c.state, name))
	if err == nil {
		c.add(name, content, owner)
	}
	return err
}

func (c collection) add(name string, content []byte, owner setup.Owner) {
	f := describeFile(name, owner)
	f.Content = bytes.Clone(content)
	c.Files = append(c.Files, f)
}

func describeFile(name string, o setup.Owner) backup.File {
	return backup.File{Name: name, Mode: uint32(o.Mode), UID: o.UID, GID: o.GID, User: o.User, Group: o.Group}
}

// writeWhole writes a file for its owner alone, which is there as a whole or as it was.
func writeWhole(path string, content []byte) error {
	return writePlaced(path, content, os.Rename)
}

// writePlaced has place give the file its name when it is whole.
func writePlaced(path string, content []byte, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory has the names in a directory be there after a power cut, too, where the file
// system can do that.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
