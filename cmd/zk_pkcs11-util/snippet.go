// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
	"libzk_pkcs11/internal/snippet"
	"libzk_pkcs11/pkcs11"
)

// snippetTool is what "snippet" is told.
type snippetTool struct {
	*keyTool
	program     string
	module, dir string
}

func newSnippetCommand() *cobra.Command {
	s := &snippetTool{keyTool: &keyTool{}}
	c := &cobra.Command{
		Use: "snippet PROGRAM [URI]", Short: "Print what a program needs to use a key: lines for its configuration, or code",
		Long: "Print what a program needs to use a key: lines for its configuration, or code, with the pkcs11: URI and the paths filled in. The programs are " +
			strings.Join(snippet.Names(), ", ") + ". No PIN is asked for, and none is printed: programs read it from a file. " +
			"A key without a public half is seen with --pin-file.",
		Example: "  zk_pkcs11-util snippet openssl-engine --label www > /etc/zk_pkcs11/openssl.cnf\n" +
			"  zk_pkcs11-util snippet nginx --label www",
		Args: snippetWords,
		RunE: func(_ *cobra.Command, words []string) error {
			s.program = words[0]
			if err := s.makeAbsolute(); err != nil {
				return err
			}
			return s.withPublicKeys(s.write)
		},
	}
	c.ValidArgs = snippet.Names()
	s.addTo(c)
	s.addKeyName(c)
	c.Flags().StringVar(&s.module, "module", installedModule(), "`PATH` of the module")
	c.Flags().StringVar(&s.dir, "dir", settingsDir(), "`DIRECTORY` of the files that the lines name: PIN, certificate, OpenSSL's configuration")
	return s.addOutput(c)
}

func snippetWords(c *cobra.Command, words []string) error {
	names := strings.Join(snippet.Names(), ", ")
	if len(words) == 0 {
		return usagef("name a program: %s", names)
	}
	if !slices.Contains(snippet.Names(), words[0]) {
		return usagef("there are no lines for %q; name a program: %s", words[0], names)
	}
	return uriWord(c, words[1:])
}

// installedModule is the module that was installed with this tool, or the place where it is by default.
func installedModule() string {
	const usual = "/usr/lib/libzk_pkcs11.so"
	tool, err := os.Executable()
	if err != nil {
		return usual
	}
	beside := filepath.Join(filepath.Dir(filepath.Dir(tool)), "lib", filepath.Base(usual))
	if _, err := os.Stat(beside); err != nil {
		return usual
	}
	return beside
}

// settingsDir is where the settings are.
func settingsDir() string {
	if file := os.Getenv("ZK_PKCS11_CONF"); filepath.IsAbs(file) && file != os.DevNull {
		return filepath.Dir(file)
	}
	return "/etc/zk_pkcs11"
}

// makeAbsolute has the lines name files as any program finds them, in whatever directory that runs.
func (s *snippetTool) makeAbsolute() (err error) {
	if s.dir, err = filepath.Abs(s.dir); err != nil || !strings.Contains(s.module, "/") {
		return err // a module without a directory is searched
	}
	s.module, err = filepath.Abs(s.module)
	return err
}

func (s *snippetTool) write(r *keyring.Ring) error {
	k, err := s.chosenKey(r)
	if err != nil {
		return err
	}
	if len(k.ID) == 0 {
		return fmt.Errorf("the key %q has no id, by which programs would find it; \"key rename --to-id HEX\" gives it one", k.Label)
	}
	if err := s.checkWhole(k, "no program finds it"); err != nil {
		return err
	}
	facts, err := s.facts(r, k)
	if err != nil {
		return err
	}
	text, err := snippet.Write(s.program, facts)
	if err != nil {
		return err
	}
	return s.writeResult(text)
}

func (s *snippetTool) facts(r *keyring.Ring, k *keyring.Key) (snippet.Facts, error) {
	info, err := r.Provider.GetTokenInfo(r.Slot)
	if err != nil {
		return snippet.Facts{}, err
	}
	all, err := r.Certificates()
	if err != nil {
		return snippet.Facts{}, err
	}
	if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
		return snippet.Facts{}, fmt.Errorf("the token in slot %d has no label yet, by which programs would find it; \"token init --label LABEL\" initialises it", r.Slot)
	}
	f := snippet.Facts{
		Token: info.Label, Slot: r.Slot, Label: k.Label, ID: hex.EncodeToString(k.ID), IDText: string(k.ID), Type: k.Type,
		URI:    keyring.TokenURI(info.Label, info.Serial).Within(k.Label, k.ID, "private"),
		Module: s.module, Dir: s.dir, Chain: chainOf(k, all), Notes: s.notesOf(k),
		Options: fmt.Sprintf("--slot %d --id %x", r.Slot, k.ID),
	}
	if k.Public != nil {
		if line, err := k.Public.SSH(k.Label); err == nil {
			f.SSH = strings.TrimSpace(string(line))
		}
	}
	return f, nil
}

// chainOf is the certificate of a key that is valid longest, with those of its issuers.
func chainOf(k *keyring.Key, all []*keyring.Certificate) string {
	if len(k.Certificates) == 0 {
		return ""
	}
	var text strings.Builder
	for _, c := range k.Latest().Chain(all) {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER}))
	}
	return text.String()
}

// notesOf is what else is to be known: what the key lacks, and what this tool has from its environment and the program does not.
func (s *snippetTool) notesOf(k *keyring.Key) []string {
	var notes []string
	if len(k.Certificates) == 0 && snippet.NeedsCertificate(s.program) {
		notes = append(notes, "The key has no certificate on the token: \"key csr\" asks for one, \"key self-cert --store\" makes one.")
	}
	for _, name := range []string{"ZK_PKCS11_CONF", "ZK_PKCS11_HOME", "ZK_PKCS11_BACKEND", "ZK_APP_UTILS_LIB"} {
		if value := os.Getenv(name); value != "" {
			notes = append(notes, fmt.Sprintf("This token is found with %s=%s in the environment%s.", name, value, s.whose()))
		}
	}
	return notes
}

// whose says of what program the environment counts, where it is not the one that the lines are for.
func (s *snippetTool) whose() string {
	if s.program == "git" {
		return " of ssh-agent"
	}
	return ""
}
