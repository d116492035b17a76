// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"

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
	hides   bool // the token takes no sealed keys
	rows    []importRow
}

func (x *importing) run(objects []importer.Object) error {
	seen := map[string]importRow{}
	for _, o := range objects {
		row, err := x.try(o, seen)
		if err != nil {
			return err
		}
		x.rows = append(x.rows, row)
	}
	x.noteSameIDs()
	if err := x.write(); err != nil {
		return errors.New("nothing was imported: " + explain(err))
	}
	return x.tell()
}

// try says what becomes of an object.
func (x *importing) try(o importer.Object, seen map[string]importRow) (importRow, error) {
	row := newImportRow(o)
	if why := x.whyNot(o); why != "" {
		return row.refuse(why), nil
	}
	h, err := x.p.CreateObject(x.session, inSession(o.Template))
	var code pkcs11.Error
	switch {
	case errors.As(err, &code) && isRefusal(code):
		return row.refuse(fmt.Sprintf("the token does not take it (%v)", code)), nil
	case err != nil:
		return row, err
	}
	same, err := x.sameAs(h, o.Template)
	if err = errors.Join(err, x.p.DestroyObject(x.session, h)); err != nil {
		return row, err
	}
	key := fmt.Sprint(same)
	if twin, twice := seen[key]; twice {
		return row.stays(twin.label, twin.id), nil
	}
	if row, err = x.settle(row, same); err == nil {
		seen[key] = row
	}
	return row, err
}

// whyNot says why an object is not even tried, "" for one that is.
func (x *importing) whyNot(o importer.Object) string {
	if o.Why == "" && x.hides && o.IsSealed() {
		return "the setting sealed_keys = false keeps such keys out of the token, which no key slot holds: set it to true in zk_pkcs11.toml, and import again"
	}
	return o.Why
}

// settle says what becomes of an object that the token takes: it comes over, or is there, under what name it may be.
func (x *importing) settle(row importRow, same []pkcs11.Attribute) (importRow, error) {
	h, err := x.find(append(row.name(), same...))
	if err == nil && h == 0 {
		h, err = x.find(same)
	}
	if err != nil {
		return row, err
	}
	if h == 0 {
		row.comes()
		row.open = isOpenSecret(row.object.Template)
		return row, x.noteTakenID(&row)
	}
	label, err := x.readIfThere(h, pkcs11.CKA_LABEL)
	if err != nil {
		return row, err
	}
	id, err := x.readIfThere(h, pkcs11.CKA_ID)
	if err != nil {
		return row, err
	}
	private, err := x.read(h, pkcs11.CKA_PRIVATE)
	row.open = classOf(row.object.Template) == pkcs11.CKO_SECRET_KEY && bytes.Equal(private, []byte{pkcs11.CK_FALSE})
	return row.stays(string(label), id), err
}

// resultTaken is added where a client that looks for a key by its CKA_ID alone finds two.
const resultTaken = ", but another key of the token has this id: \"key rename\" gives it one of its own"

// noteTakenID adds to the row of a private or secret key that its id is taken. The key slots of an SCM have ids of one byte,
// as many a key of other tokens has.
func (x *importing) noteTakenID(row *importRow) error {
	class := classOf(row.object.Template)
	if len(row.id) == 0 || !isOwnKey(row.object.Template) {
		return nil
	}
	taken, err := x.isThere([]pkcs11.Attribute{{Type: pkcs11.CKA_TOKEN, Value: []byte{1}},
		{Type: pkcs11.CKA_CLASS, Value: pkcs11.EncodeULong(class)}, {Type: pkcs11.CKA_ID, Value: row.id}})
	if taken {
		row.result += resultTaken
	}
	return err
}

// resultShared is added to keys that come over with one CKA_ID.
const resultShared = ", but another key that is imported has this id, too: \"key rename --label\" gives it one of its own"

// noteSameIDs adds to the rows of private or secret keys that others that come over have the same id.
func (x *importing) noteSameIDs() {
	count := map[string]int{}
	for _, row := range x.rows {
		count[row.sharedID()]++
	}
	for i := range x.rows {
		if id := x.rows[i].sharedID(); id != "" && count[id] > 1 {
			x.rows[i].result += resultShared
		}
	}
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

// isOwnKey reports whether a template is of a private or a secret key, which "key rename" knows.
func isOwnKey(template []pkcs11.Attribute) bool {
	class := classOf(template)
	return class == pkcs11.CKO_PRIVATE_KEY || class == pkcs11.CKO_SECRET_KEY
}

// isOpenSecret reports whether a template is of a secret key that is not private.
func isOpenSecret(template []pkcs11.Attribute) bool {
	return classOf(template) == pkcs11.CKO_SECRET_KEY && bytes.Equal(valueIn(template, pkcs11.CKA_PRIVATE), []byte{pkcs11.CK_FALSE})
}

// makePrivate has secret keys come over private, and so sealed.
func makePrivate(objects []importer.Object) {
	for i := range objects {
		if o := &objects[i]; isOpenSecret(o.Template) {
			setValue(o.Template, pkcs11.Attribute{Type: pkcs11.CKA_PRIVATE, Value: []byte{pkcs11.CK_TRUE}})
			o.Note = "private now, by --private"
		}
	}
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

// readIfThere is read of an attribute that an object of its class may not have.
func (x *importing) readIfThere(h, kind uint) ([]byte, error) {
	v, err := x.read(h, kind)
	if errors.Is(err, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID) {
		return nil, nil
	}
	return v, err
}

// isThere reports whether a token has an object with these attributes.
func (x *importing) isThere(same []pkcs11.Attribute) (bool, error) {
	h, err := x.find(same)
	return h != 0, err
}

// find returns an object with these attributes, 0 where there is none.
func (x *importing) find(same []pkcs11.Attribute) (uint, error) {
	if err := x.p.FindObjectsInit(x.session, same); err != nil {
		return 0, err
	}
	found := make([]uint, 1)
	_, err := x.p.FindObjects(x.session, found)
	return found[0], errors.Join(err, x.p.FindObjectsFinal(x.session))
}

// write makes the objects that are not there.
func (x *importing) write() error {
	var all [][]pkcs11.Attribute
	for _, row := range x.rows {
		if row.fate == objectComes {
			all = append(all, onToken(row.object.Template))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return x.p.CreateObjects(x.session, all)
}
