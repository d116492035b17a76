// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"libzk_pkcs11/internal/importer"
	"libzk_pkcs11/pkcs11"
)

// fate is what becomes of an object that is to be imported.
type fate int

const (
	objectComes fate = iota // it is not there yet, and the token takes it
	objectThere             // it was there
	objectRefused
	objectSpare // nobody misses it
)

// importRow is a line of the table. Its name is that of the object in the token, which has another one where it was there before.
type importRow struct {
	object importer.Object
	label  string
	id     []byte
	result string
	fate   fate
	open   bool // a secret key that is in the token and not private, and so not sealed
}

// What the table says.
const (
	resultImported = "imported"
	resultThere    = "was there"
	resultNot      = "not imported: "
)

func newImportRow(o importer.Object) importRow {
	return importRow{object: o, label: o.Label, id: valueIn(o.Template, pkcs11.CKA_ID)}
}

// name is what the object would be called, as attributes of those that its class has.
func (r *importRow) name() (name []pkcs11.Attribute) {
	for _, a := range r.object.Template {
		if a.Type == pkcs11.CKA_LABEL || a.Type == pkcs11.CKA_ID {
			name = append(name, a)
		}
	}
	return name
}

// sharedID is by what a program would find the key and others of its class, "" of what it does not find so or does not come over.
func (r *importRow) sharedID() string {
	if r.fate != objectComes || len(r.id) == 0 || !isOwnKey(r.object.Template) {
		return ""
	}
	return fmt.Sprintf("%d %x", classOf(r.object.Template), r.id)
}

// comes is the row of an object that is imported.
func (r *importRow) comes() {
	r.fate, r.result = objectComes, resultImported
	if r.object.Note != "" {
		r.result += ", " + r.object.Note
	}
}

// refuse is the row of an object that is not imported.
func (r importRow) refuse(why string) importRow {
	r.fate, r.result = objectRefused, resultNot+why
	if r.object.Spare {
		r.fate = objectSpare
	}
	return r
}

// stays is the row of an object that is there, under a name that may be another one: nothing is called otherwise by an import.
func (r importRow) stays(label string, id []byte) importRow {
	r.fate, r.result = objectThere, resultThere
	if label != r.label || !bytes.Equal(id, r.id) {
		r.result += " under this name, and not" + r.otherThan(label, id)
		if isOwnKey(r.object.Template) {
			r.result += "; \"key rename\" changes it"
		}
	}
	r.label, r.id = label, id
	return r
}

// otherThan says what of the object's name is not what it is in the token.
func (r *importRow) otherThan(label string, id []byte) (text string) {
	if label != r.label {
		text = fmt.Sprintf(" as %q", visible(r.label))
	}
	if bytes.Equal(id, r.id) {
		return text
	}
	if len(r.id) == 0 {
		return text + " without an id"
	}
	return text + fmt.Sprintf(" with the id %x", r.id)
}

// importTold is what "import" tells.
type importTold struct {
	Imported int            `json:"imported"`
	Refused  int            `json:"refused"`
	Open     int            `json:"open"`
	Objects  []importedTold `json:"objects"`
}

// importedTold is what became of an object.
type importedTold struct {
	Class    string `json:"class"`
	Label    string `json:"label"` // that it has in the token
	ID       string `json:"id"`    // in hex
	Imported bool   `json:"imported"`
	Refused  bool   `json:"refused"`
	Open     bool   `json:"open"`
	Result   string `json:"result"`
}

func (x *importing) told() importTold {
	t := importTold{Objects: []importedTold{}}
	for _, r := range x.rows {
		o := importedTold{className(classOf(r.object.Template)), r.label, hex.EncodeToString(r.id), r.fate == objectComes, r.fate == objectRefused, r.open, r.result}
		switch r.fate {
		case objectComes:
			t.Imported++
		case objectRefused:
			t.Refused++
		}
		if r.open {
			t.Open++
		}
		t.Objects = append(t.Objects, o)
	}
	return t
}

// tell prints the table. That nothing is new is no error when all was there already; that something stays behind is one of its own,
// by which a script knows that the rest came over.
func (x *importing) tell() error {
	t := x.told()
	if err := x.print("import/1", t, t.printText); err != nil || t.Refused == 0 {
		return err
	}
	return &ending{exitPartly, fmt.Errorf("%d of %s did not come over; the table says of each why", t.Refused, count(len(t.Objects), "object"))}
}

func (t importTold) printText(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OBJECT\tLABEL\tID\tRESULT")
	for _, o := range t.Objects {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.Class, visible(o.Label), o.ID, o.Result)
	}
	w.Flush()
	fmt.Fprintf(out, "%d of %s imported\n", t.Imported, count(len(t.Objects), "object"))
	if t.Open > 0 {
		fmt.Fprintf(out, openSecrets, t.openLabels())
	}
}

// openSecrets says what lies in the token's store as it is, and what to do.
const openSecrets = "Not private (CKA_PRIVATE is false), and so unsealed in the token's store: %s. \"pkcs11-tool --keygen --private\" makes a new one that is sealed; " +
	"\"key delete\" and import --private seal the old one (docs/threats.md)\n"

// openLabels are the labels of what is open.
func (t importTold) openLabels() string {
	var labels []string
	for _, o := range t.Objects {
		if o.Open {
			labels = append(labels, fmt.Sprintf("%q", visible(o.Label)))
		}
	}
	return strings.Join(labels, ", ")
}

func className(class uint) string {
	switch class {
	case pkcs11.CKO_DATA:
		return "data"
	case pkcs11.CKO_CERTIFICATE:
		return "certificate"
	case pkcs11.CKO_PUBLIC_KEY:
		return "public key"
	case pkcs11.CKO_PRIVATE_KEY:
		return "private key"
	case pkcs11.CKO_SECRET_KEY:
		return "secret key"
	}
	return "other"
}
