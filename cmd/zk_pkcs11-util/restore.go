// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/backup"
	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/recovery"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

func (x *tokenTool) restoreCommand() *cobra.Command {
	words := false
	c := &cobra.Command{
		Use: "restore FILE", Short: "Put a token back that \"token backup\" has written", Args: cobra.ExactArgs(1),
		Long: "Put a token back that \"token backup\" has written, with its PIN or, with --words, its recovery words. It takes the place of the token that is there all at " +
			"once, while programs run; the state directory of before stays beside it. A backup of another SCM than the one that is there takes the words: the token is bound to this one then.",
		Example: "  zk_pkcs11-util token restore /backup/token",
		RunE:    func(_ *cobra.Command, args []string) error { return x.restore(args[0], words) },
	}
	c.Flags().BoolVar(&words, "words", false, "ask for the recovery words of the token, and not for its PIN")
	return c
}

// restoring is a backup on its way into a state directory.
type restoring struct {
	*tokenTool
	backup      *backup.Backup
	settings    config.Config
	replacement *setup.Replacement
	words       bool   // the recovery words are asked for
	key         []byte // of recovery, nil without words
}

func (x *tokenTool) restore(path string, words bool) error {
	if x.isSearched() {
		return usagef("the token in a slot may be another one than that of the backup: name the slot by --slot")
	}
	r := &restoring{tokenTool: x, words: words}
	if err := r.configure(); err != nil {
		return err
	}
	if err := r.open(path); err != nil {
		return fmt.Errorf("%s: %w; name a whole file that \"token backup\" has written", path, err)
	}
	defer clear(r.key)
	old, err := r.put()
	if r.replacement != nil {
		err = errors.Join(err, r.replacement.Discard())
	}
	if err != nil {
		return err
	}
	for _, line := range r.replacement.Told() {
		fmt.Fprintf(x.ask.err, "Warning: %s.\n", line)
	}
	told, err := r.told(old)
	return errors.Join(x.print("token-restore/1", told, told.printText), err)
}

// restoreTold is what "token restore" tells.
type restoreTold struct {
	Label  string    `json:"label"`
	Slot   uint      `json:"slot"`
	State  string    `json:"state_directory"`
	Made   time.Time `json:"made"`   // when the backup was made
	Before string    `json:"before"` // where the keys of before are; "" = there were none
	Left   []string  `json:"left"`   // what earlier restores have left
}

func (r *restoring) told(old string) (restoreTold, error) {
	t := restoreTold{r.backup.Label, r.slot, r.settings.Slots[r.slot].State, r.backup.Made, old, []string{}}
	left, err := r.replacement.Left()
	for _, dir := range left {
		if dir != old {
			t.Left = append(t.Left, dir)
		}
	}
	return t, err
}

// printText says where the keys of before are, and how to remove them.
func (t restoreTold) printText(w io.Writer) {
	fmt.Fprintf(w, "The token %q is as it was at %s\n", t.Label, t.Made.Format("2006-01-02 15:04:05 MST"))
	if t.Before != "" {
		fmt.Fprintf(w, "What was there before is in %s, with its keys and PINs. When all is well, remove it:\n  rm -r %s\n", t.Before, shellWord(t.Before))
	}
	for _, dir := range t.Left {
		fmt.Fprintf(w, "An earlier restore has left %s:\n  rm -r %s\n", dir, shellWord(dir))
	}
}

// plainWord is what no shell takes for anything else.
var plainWord = regexp.MustCompile(`^[a-zA-Z0-9/._-]+$`)

// shellWord is text as a shell takes it for one word.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// configure reads the settings, whose mistakes are none of the backup.
func (r *restoring) configure() (err error) {
	if r.settings, _, err = loadSettings(); err != nil {
		return err
	}
	if r.slot >= uint(len(r.settings.Slots)) {
		return pkcs11.CKR_SLOT_ID_INVALID
	}
	return nil
}

func (r *restoring) open(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return &nameless{err}
	}
	defer f.Close()
	r.backup, err = backup.Read(f)
	return err
}

// put writes the new state beside the one that is there, looks whether all is as it has to be, and has both change places.
func (r *restoring) put() (old string, err error) {
	if r.replacement, err = setup.NewReplacement(r.settings, int(r.slot)); err != nil {
		return "", err
	}
	for _, f := range r.backup.Files {
		if err := r.replacement.Write(f.Name, f.Content, ownerOf(f)); err != nil {
			return "", err
		}
	}
	mate, err := r.authenticate()
	if err != nil {
		return "", err
	}
	if err := r.meetSCM(mate); err != nil {
		return "", err
	}
	r.makeCompanions()
	return r.replacement.Swap(ownerOf(r.backup.Directory))
}

// makeCompanions makes what lies beside the database of a soft SCM, such as its log and locks, as that of the token's was made
// when it was opened: Swap gives all of it to the owner of the token. Otherwise the first process that uses the SCM owns it.
// An SCM that does not open, because it has no host perhaps, is restored as it is.
func (r *restoring) makeCompanions() {
	if r.backup.File(soft.FlashFile) == nil {
		return
	}
	options := soft.Options{Settings: r.settings.Soft, Mode: 0o600, Group: -1, Existing: true}
	if d, err := soft.Open(r.replacement.Directory(), options); err == nil {
		_ = d.Close()
	}
}

func ownerOf(f backup.File) setup.Owner {
	return setup.Owner{Mode: fs.FileMode(f.Mode), UID: f.UID, GID: f.GID, User: f.User, Group: f.Group}
}

// authenticate looks whether the backup was made by somebody who has the token's secret, and returns the serial number
// of its SCM.
func (r *restoring) authenticate() (mate string, err error) {
	tokens, err := store.Open(r.replacement.Directory(), store.Options{Mode: 0o600, Group: -1, Existing: true})
	if err != nil {
		return "", fmt.Errorf("the backup has no token: %w", err)
	}
	defer tokens.Close()
	secret, err := r.secretOf(tokens)
	if err != nil {
		return "", err
	}
	defer clear(secret)
	key := store.BackupKey(secret)
	defer key.Destroy()
	if !r.backup.Authentic(key.Bytes()) {
		return "", errors.New("the backup was changed since it was made, or was not made by this token: nothing was restored")
	}
	pairing, err := tokens.Pairing()
	return pairing.Mate.Serial, err
}

// secretOf asks for what opens the token of the backup.
func (r *restoring) secretOf(tokens *store.Store) ([]byte, error) {
	if !r.words {
		pin, err := r.ask.pinOf("User PIN of the token in the backup", &r.userPIN)
		if err != nil {
			return nil, err
		}
		secret, err := tokens.CheckPIN(store.NormalUser, pin)
		return secret, r.explainPIN(err)
	}
	known, err := tokens.Recovery()
	if err != nil {
		return nil, err
	}
	r.key, err = r.askWords(func(key []byte) bool {
		o, err := known.Open(key)
		o.Destroy()
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	o, err := known.Open(r.key)
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	return append([]byte{}, o.Secret.Bytes()...), nil
}

// explainPIN says what a refused PIN means for a backup: it is tried with a copy, and nothing is counted.
func (r *restoring) explainPIN(err error) error {
	day := r.backup.Made.Format("2006-01-02")
	switch {
	case errors.Is(err, store.ErrPIN):
		return fmt.Errorf("wrong PIN: the backup opens with the PIN that the token had on its day, %s; wrong ones are not counted here. Nothing was restored", day)
	case errors.Is(err, store.ErrPINLocked):
		return fmt.Errorf("the PIN was locked on the day of the backup, %s: restore it by the token's recovery words (--words), or an earlier backup; nothing was restored", day)
	}
	return err
}

// meetSCM has the token of the backup belong to the SCM that is there.
func (r *restoring) meetSCM(mate string) error {
	slot := r.settings.Slots[r.slot]
	if r.backup.File(soft.FlashFile) == nil {
		return r.meetHardware(mate)
	}
	if _, err := os.Stat(filepath.Join(slot.State, soft.FlashFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	d, err := setup.OpenSoft(r.settings, slot, setup.Process{})
	if err != nil {
		return nil // what does not open is what the backup is for; it is kept beside
	}
	defer d.Close()
	here, err := d.Bonds()
	if err != nil || here.Serial == mate || here.Token == nil && !here.Sealed {
		return nil // or a new one, which has nothing to lose
	}
	if !r.words {
		return otherSoftSCM(mate, here.Serial)
	}
	if err := r.takeSoft(d, slot.State); err != nil {
		return err
	}
	return r.rebind()
}

func (r *restoring) meetHardware(mate string) error {
	t, err := openTarget(r.slot)
	if err != nil {
		return err
	}
	info, err := t.device.Info()
	if err = errors.Join(err, t.closeFiles()); err != nil || info.Serial == mate {
		return err
	}
	if !r.words {
		return otherSCM(mate, info.Serial)
	}
	return r.rebind()
}

func otherSCM(mate, here string) error {
	return fmt.Errorf("the backup is of a token of the SCM %s, and this is the SCM %s, which has a token of its own: "+
		"only recovery words (--words) bring the token to another SCM, which has to be new (\"scm reset\"); nothing was restored", mate, here)
}

// otherSoftSCM is otherSCM where the SCM in the backup can take the place of the one that is there.
func otherSoftSCM(mate, here string) error {
	return fmt.Errorf("the backup is of a token of the SCM %s, and this is the SCM %s, which has a token of its own; nothing was restored: "+
		"delete that one by \"token delete\", with its keys, and restore with the PIN again; only recovery words (--words) bring the token to the SCM that is there, which has to be new (\"scm reset\")", mate, here)
}

// takeSoft takes the soft SCM that is there in place of the one in the backup.
func (r *restoring) takeSoft(d *soft.Device, state string) error {
	if err := r.replacement.Remove(soft.RootKeyFile); err != nil {
		return err
	}
	return d.Image(func(flash []byte) error { return r.takeFlash(flash, state) })
}

func (r *restoring) takeFlash(flash []byte, state string) error {
	owner, err := setup.OwnerOfFile(filepath.Join(state, soft.FlashFile))
	if err == nil {
		err = r.replacement.Write(soft.FlashFile, flash, owner)
	}
	if err != nil {
		return err
	}
	key, owner, err := setup.ReadFile(filepath.Join(state, soft.RootKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.replacement.Write(soft.RootKeyFile, key, owner)
}

// rebind binds the token in the new directory to the SCM.
func (r *restoring) rebind() error {
	p := pkcs11.New(setup.RecoveryOptions(r.replacement.Settings(), toolLogger(r.settings), setup.Process{}))
	defer p.Close()
	b, err := p.BeginRebinding(r.slot)
	if err != nil {
		return err
	}
	_, err = b.Bind(r.key)
	return errors.Join(err, b.Close())
}

// askWords asks for recovery words, of which opens says whether they are the right ones.
func (x *tokenTool) askWords(opens func(key []byte) bool) ([]byte, error) {
	words, err := x.readWords()
	if err != nil {
		return nil, err
	}
	return recovery.Key(words, opens)
}
