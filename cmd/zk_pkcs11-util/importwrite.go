// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"libzk_pkcs11/internal/importer"
	"libzk_pkcs11/pkcs11"
)

// importing writes what was read into a token: first it makes a session object of each, which shows whether
// the token takes it and whether it is there already, and only then all token objects in one transaction. A process
// that is killed in the middle leaves nothing, and so does a disk that is full.
type importing struct {
	output
	p       *pkcs11.Provider
	session uint
	rows    []importRow
}

// importRow is a line of the table.
type importRow struct {
	object importer.Object
	result string
	create bool
}

// What the table says.
const (
	resultImported = "imported"
	resultThere    = "was there"
	resultNot      = "not imported: "
)

func (x *importing) run(objects []importer.Object) error {
	seen := map[string]bool{}
	for _, o := range objects {
		row, err := x.try(o, seen)
		if err != nil {
			return err
		}
		x.rows = append(x.rows, row)
	}
	if err := x.write(); err != nil {
		return errors.New("nothing was imported: " + explain(err))
	}
	return x.tell()
}

// try says what becomes of an object.
func (x *importing) try(o importer.Object, seen map[string]bool) (importRow, error) {
	row := importRow{object: o}
	if o.Why != "" {
		row.result = resultNot + o.Why
		return row, nil
	}
	h, err := x.p.CreateObject(x.session, inSession(o.Template))
	var code pkcs11.Error
	switch {
	case errors.As(err, &code) && isRefusal(code):
		row.result = resultNot + fmt.Sprintf("the token does not take it (%v)", code)
		return row, nil
	case err != nil:
		return row, err
	}
	same, err := x.sameAs(h, o.Template)
	if err = errors.Join(err, x.p.DestroyObject(x.session, h)); err != nil {
		return row, err
	}
	there, err := x.isThere(same)
	key := fmt.Sprint(same)
	row.create = err == nil && !there && !seen[key]
	seen[key] = true
	row.result = map[bool]string{true: resultImported, false: resultThere}[row.create]
	if row.create && o.Note != "" {
		row.result += ", " + o.Note
	}
	if row.create {
		err = x.noteTakenID(&row)
	}
	return row, err
}

// resultTaken is added where a client that looks for a key by its CKA_ID alone finds two.
const resultTaken = ", but another key of the token has this id: \"key rename\" gives it one of its own"

// noteTakenID adds to the row of a private or secret key that its id is taken. The key slots of an SCM have ids of one byte,
// as many a key of other tokens has.
func (x *importing) noteTakenID(row *importRow) error {
	class, id := classOf(row.object.Template), valueIn(row.object.Template, pkcs11.CKA_ID)
	if len(id) == 0 || class != pkcs11.CKO_PRIVATE_KEY && class != pkcs11.CKO_SECRET_KEY {
		return nil
	}
	taken, err := x.isThere([]pkcs11.Attribute{{Type: pkcs11.CKA_TOKEN, Value: []byte{1}},
		{Type: pkcs11.CKA_CLASS, Value: pkcs11.EncodeULong(class)}, {Type: pkcs11.CKA_ID, Value: id}})
	if taken {
		row.result += resultTaken
	}
	return err
}

// isRefusal reports whether a code is about the template and not about the token.
func isRefusal(code pkcs11.Error) bool {
	switch code {
	case pkcs11.CKR_ATTRIBUTE_VALUE_INVALID, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID, pkcs11.CKR_ATTRIBUTE_READ_ONLY, pkcs11.CKR_TEMPLATE_INCOMPLETE,
		pkcs11.CKR_TEMPLATE_INCONSISTENT, pkcs11.CKR_CURVE_NOT_SUPPORTED, pkcs11.CKR_DOMAIN_PARAMS_INVALID, pkcs11.CKR_KEY_SIZE_RANGE:
		return true
	}
	return false
}

// onToken is a template of a token object.
func onToken(template []pkcs11.Attribute) []pkcs11.Attribute {
	return append([]pkcs11.Attribute{{Type: pkcs11.CKA_TOKEN, Value: []byte{1}}}, template...)
}

// inSession is a template of a session object.
func inSession(template []pkcs11.Attribute) []pkcs11.Attribute {
	return append([]pkcs11.Attribute{{Type: pkcs11.CKA_TOKEN, Value: []byte{0}}}, template...)
}

// sameAs is what an object on the token has that is the same: the public key, the certificate, or what
// tells one secret from another.
func (x *importing) sameAs(h uint, template []pkcs11.Attribute) ([]pkcs11.Attribute, error) {
	same := []pkcs11.Attribute{{Type: pkcs11.CKA_TOKEN, Value: []byte{1}}}
	for _, kind := range telling(template) {
		v, err := x.read(h, kind)
		if err != nil {
			return nil, err
		}
		same = append(same, pkcs11.Attribute{Type: kind, Value: v})
	}
	return same, nil
}

// telling are the attributes that tell an object of this class from others.
func telling(template []pkcs11.Attribute) []uint {
	switch classOf(template) {
	case pkcs11.CKO_CERTIFICATE:
		return []uint{pkcs11.CKA_CLASS, pkcs11.CKA_VALUE}
	case pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_PRIVATE_KEY:
		return []uint{pkcs11.CKA_CLASS, pkcs11.CKA_PUBLIC_KEY_INFO}
	case pkcs11.CKO_SECRET_KEY:
		return []uint{pkcs11.CKA_CLASS, pkcs11.CKA_KEY_TYPE, pkcs11.CKA_CHECK_VALUE, pkcs11.CKA_VALUE_LEN, pkcs11.CKA_LABEL, pkcs11.CKA_ID}
	}
	return []uint{pkcs11.CKA_CLASS, pkcs11.CKA_LABEL, pkcs11.CKA_APPLICATION, pkcs11.CKA_VALUE}
}

func classOf(template []pkcs11.Attribute) uint {
	for _, class := range []uint{pkcs11.CKO_DATA, pkcs11.CKO_CERTIFICATE, pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_SECRET_KEY} {
		if bytes.Equal(valueIn(template, pkcs11.CKA_CLASS), pkcs11.EncodeULong(class)) {
			return class
		}
	}
	return pkcs11.CKO_VENDOR_DEFINED
}

func valueIn(template []pkcs11.Attribute, kind uint) []byte {
	for _, a := range template {
		if a.Type == kind {
			return a.Value
		}
	}
	return nil
}

// read is the value of an attribute.
func (x *importing) read(h, kind uint) ([]byte, error) {
	var n uint
	if err := x.p.GetAttributeValue(x.session, h, []pkcs11.Query{{Type: kind, Length: &n}}); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	err := x.p.GetAttributeValue(x.session, h, []pkcs11.Query{{Type: kind, Buffer: b, Length: &n}})
	return b, err
}

// isThere reports whether a token has an object with these attributes.
func (x *importing) isThere(same []pkcs11.Attribute) (bool, error) {
	if err := x.p.FindObjectsInit(x.session, same); err != nil {
		return false, err
	}
	n, err := x.p.FindObjects(x.session, make([]uint, 1))
	return n > 0, errors.Join(err, x.p.FindObjectsFinal(x.session))
}

// write makes the objects that are not there.
func (x *importing) write() error {
	var all [][]pkcs11.Attribute
	for _, row := range x.rows {
		if row.create {
			all = append(all, onToken(row.object.Template))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return x.p.CreateObjects(x.session, all)
}

// importTold is what "import" tells.
type importTold struct {
	Imported int            `json:"imported"`
	Objects  []importedTold `json:"objects"`

	there int
}

// importedTold is what became of an object.
type importedTold struct {
	Class    string `json:"class"`
	Label    string `json:"label"`
	ID       string `json:"id"` // in hex
	Imported bool   `json:"imported"`
	Result   string `json:"result"`
}

func (x *importing) told() importTold {
	t := importTold{Objects: []importedTold{}}
	for _, r := range x.rows {
		switch {
		case r.create:
			t.Imported++
		case r.object.Why == "" && r.result == resultThere:
			t.there++
		}
		id := hex.EncodeToString(valueIn(r.object.Template, pkcs11.CKA_ID))
		t.Objects = append(t.Objects, importedTold{className(classOf(r.object.Template)), r.object.Label, id, r.create, r.result})
	}
	return t
}

// tell prints the table. That nothing is new is no error when all was there already.
func (x *importing) tell() error {
	t := x.told()
	err := x.print("import/1", t, t.printText)
	if err == nil && t.Imported+t.there == 0 {
		return errors.New("nothing was imported: the table says why")
	}
	return err
}

func (t importTold) printText(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OBJECT\tLABEL\tID\tRESULT")
	for _, o := range t.Objects {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.Class, o.Label, o.ID, o.Result)
	}
	w.Flush()
	fmt.Fprintf(out, "%d of %s imported\n", t.Imported, count(len(t.Objects), "object"))
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
