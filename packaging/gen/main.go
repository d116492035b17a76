// SPDX-License-Identifier: Apache-2.0

// Command gen makes what the packages have of the settings from the tables in README.md and
// docs/settings.md, which a test holds against the code: "gen" writes packaging/zk_pkcs11.toml,
// and "gen FOLDER" the text of the man pages, in Markdown.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root, err := projectFolder()
	if err != nil {
		return err
	}
	list, err := readSettings(root)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return os.WriteFile(filepath.Join(root, "packaging/zk_pkcs11.toml"), []byte(settingsFile(list)), 0o644)
	}
	return writePages(root, args[0], list)
}

// projectFolder is the folder with go.mod: this one or one above it.
func projectFolder() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no go.mod here or above")
		}
		folder = filepath.Dir(folder)
	}
	return "", err
}
