// SPDX-License-Identifier: Apache-2.0

// Command gen writes the constants of package pkcs11, and the functions that
// give their names, from the #define lines of the C headers. It runs in the
// directory of that package, by go generate.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
)

// headers are read in this order: the vendor's values refer to the standard's.
var headers = []string{"pkcs11.h", "zk_pkcs11.h"}

func main() {
	log.SetFlags(0)
	if err := run("../include", "."); err != nil {
		log.Fatal("gen: ", err)
	}
}

// run writes the generated files into the directory out.
func run(include, out string) error {
	files, err := generate(include)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the text of each generated file by its name.
func generate(include string) (map[string][]byte, error) {
	known := newHeader()
	for _, name := range headers {
		text, err := os.ReadFile(filepath.Join(include, name))
		if err != nil {
			return nil, err
		}
		if err := known.read(string(text)); err != nil {
			return nil, fmt.Errorf("%s:%w", name, err)
		}
	}
	return render(known.constants)
}
