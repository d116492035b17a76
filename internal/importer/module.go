// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/miekg/pkcs11"

	ours "libzk_pkcs11/pkcs11"

	"libzk_pkcs11/internal/softkey"
)

// foreignModule is another PKCS #11 module, in a session with one of its tokens.
type foreignModule struct {
	*pkcs11.Ctx
	session pkcs11.SessionHandle
	more    string // what gives away the keys that it does not; "" where nothing is known to
	helper  []byte // a key of this program, under which keys are wrapped; nil where the module takes none
	wrapper pkcs11.ObjectHandle
}

func readModule(s Source) ([]Object, error) {
	c := pkcs11.New(s.Path)
	if c == nil {
		return nil, s.noModule()
	}
	if err := c.Initialize(); err != nil {
		return nil, fmt.Errorf("C_Initialize: %w", err)
	}
	slot, err := foreignSlot(c, s.Token)
	if err != nil {
		return nil, err
	}
	m := &foreignModule{Ctx: c, more: otherReader(c)}
	if m.session, err = c.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		if m.session, err = c.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
			return nil, fmt.Errorf("C_OpenSession: %w", err)
		}
	}
	switch err := c.Login(m.session, pkcs11.CKU_USER, string(s.Password)); {
	case errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)), errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_LEN_RANGE)):
		return nil, ErrPIN
	case err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)):
		return nil, fmt.Errorf("C_Login: %w", err)
	}
	return m.readAll()
}

// noModule says why a file is no module.
func (s Source) noModule() error {
	b, err := readBounded(s.Path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOENT) {
		return errors.New("there is no such file, and no library of this name where the system looks for libraries")
	}
	if err == nil {
		if err := s.wrongForm(b); err != nil {
			return err
		}
	}
	return errors.New("it does not load: is it a PKCS #11 module for this machine?")
}

// foreignSlot finds the token with a label.
func foreignSlot(c *pkcs11.Ctx, label string) (uint, error) {
	slots, err := c.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("C_GetSlotList: %w", err)
	}
	var found []uint
	var labels []string
	for _, slot := range slots {
		info, err := c.GetTokenInfo(slot)
		if err != nil || info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		name := strings.TrimRight(info.Label, " \x00")
		labels = append(labels, fmt.Sprintf("%q", name))
		if label == "" || name == label {
			found = append(found, slot)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case label != "" && len(found) > 1:
		return 0, fmt.Errorf("%d of its tokens have the label %q, and are not told from each other", len(found), label)
	case len(labels) == 0:
		return 0, errors.New("it shows no token")
	}
	return 0, fmt.Errorf("%sit has the tokens %s: %w", noSuchToken(label), strings.Join(labels, ", "), ErrWhich)
}

// otherReader says what reads the keys that a module does not give away, "" where nothing is known to.
func otherReader(c *pkcs11.Ctx) string {
	info, err := c.GetInfo()
	if err != nil || !strings.Contains(info.ManufacturerID+info.LibraryDescription, "SoftHSM") {
		return ""
	}
	return "; \"import softhsm DIR\" reads it out of SoftHSM2's directory of tokens"
}

// mostObjects bounds what a module that never ends its list is asked for.
const mostObjects = 100_000

func (m *foreignModule) readAll() (all []Object, err error) {
	handles, err := m.findAll()
	if err != nil {
		return nil, err
	}
	for _, h := range handles {
		class := m.read(h, pkcs11.CKA_CLASS)
		switch number(class) {
		case ours.CKO_HW_FEATURE, ours.CKO_MECHANISM, ours.CKO_PROFILE:
			continue // tell of the module itself
		}
		o := newObject(number(class), func(kind uint) []byte { return m.read(h, kind) })
		if o.Why == notGiven {
			m.unwrap(h, &o)
			if o.Why != "" {
				o.Why += m.more
			}
		}
		all = append(all, o)
	}
	return all, nil
}

func (m *foreignModule) findAll() ([]pkcs11.ObjectHandle, error) {
	onToken := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)}
	if err := m.FindObjectsInit(m.session, onToken); err != nil {
		return nil, fmt.Errorf("C_FindObjectsInit: %w", err)
	}
	var all []pkcs11.ObjectHandle
	for {
		some, _, err := m.FindObjects(m.session, 100)
		if err != nil {
			return nil, fmt.Errorf("C_FindObjects: %w", err)
		}
		all = append(all, some...)
		if len(some) == 0 || len(all) > mostObjects {
			break
		}
	}
	return all, m.FindObjectsFinal(m.session)
}

// read is the value of an attribute, nil where the module does not tell it.
func (m *foreignModule) read(h pkcs11.ObjectHandle, kind uint) []byte {
	got, err := m.GetAttributeValue(m.session, h, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if err != nil || len(got) != 1 {
		return nil
	}
	return got[0].Value
}

// unwrap gets a key that is sensitive and extractable by having the module wrap it, as PKCS #11 wants it for such keys.
func (m *foreignModule) unwrap(h pkcs11.ObjectHandle, o *Object) {
	if flag := m.read(h, pkcs11.CKA_EXTRACTABLE); len(flag) != 1 || flag[0] == 0 || !m.makeHelper() {
		return
	}
	wrapped, err := m.wrapBy(ours.CKM_AES_KEY_WRAP_KWP, h)
	if err != nil { // the number that it had before 3.0
		wrapped, err = m.wrapBy(ours.CKM_AES_KEY_WRAP_PAD, h)
	}
	if err != nil {
		o.Why = fmt.Sprintf("its module does not wrap it: %v", err)
		return
	}
	value, err := unwrapPadded(m.helper, wrapped)
	if err != nil {
		o.Why = "what its module has wrapped does not open"
		return
	}
	if number(m.read(h, pkcs11.CKA_CLASS)) == ours.CKO_SECRET_KEY {
		o.Template, o.Why = append(o.Template, attribute(ours.CKA_VALUE, value)), ""
		return
	}
	o.addPrivate(value)
}

func (m *foreignModule) wrapBy(mechanism uint, h pkcs11.ObjectHandle) ([]byte, error) {
	return m.WrapKey(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, m.wrapper, h)
}

// addPrivate adds the numbers of a PrivateKeyInfo. SoftHSM2 puts some bytes behind it.
func (o *Object) addPrivate(der []byte) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		o.Why = "what its module has wrapped is no private key"
		return
	}
	key, err := softkey.ParsePrivate(outer.FullBytes)
	if err != nil {
		o.Why = "what its module has wrapped is no private key that is known: " + err.Error()
		return
	}
	private, _, err := halves(key)
	if err != nil {
		o.Why = err.Error()
		return
	}
	o.addMissing(private)
	o.Why = ""
}

// addMissing adds the attributes that the object does not have.
func (o *Object) addMissing(list []ours.Attribute) {
	for _, a := range list {
		if o.value(a.Type) == nil {
			o.Template = append(o.Template, a)
		}
	}
}

// makeHelper makes the key under which others are wrapped, as a session object, and reports whether there is one.
func (m *foreignModule) makeHelper() bool {
	if m.helper != nil {
		return m.wrapper != 0
	}
	m.helper = make([]byte, 32)
	rand.Read(m.helper) // never fails
	var err error
	m.wrapper, err = m.CreateObject(m.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false), pkcs11.NewAttribute(pkcs11.CKA_WRAP, true), pkcs11.NewAttribute(pkcs11.CKA_VALUE, m.helper),
	})
	return err == nil
}

// unwrapPadded undoes the wrapping of RFC 5649.
func unwrapPadded(key, wrapped []byte) ([]byte, error) {
	k, err := softkey.NewAES(key)
	if err != nil {
		return nil, err
	}
	s, err := k.UnwrapPadded(nil)
	if err != nil {
		return nil, err
	}
	return s.Whole(nil, wrapped)
}
