// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/doctor"
	"libzk_pkcs11/pkcs11"
)

// trial is one signature with a key that is named.
type trial struct {
	uri  keyURI
	pin  *pinSource
	slot uint
	took time.Duration
}

// errUnasked is of what could not be looked at.
var errUnasked = errors.New("not known")

func unasked(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUnasked}, args...)...)
}

// run signs and verifies. It does not log in where a wrong PIN was tried before it: a check that comes again every minute
// would lock the PIN.
func (t *trial) run(slots []doctor.Vitals) error {
	of, err := t.find(slots)
	if err != nil {
		return err
	}
	if of.UserTries == nil || *of.UserTries < pinTries {
		return unasked("no signature was made: %s", whyNoLogin(of))
	}
	pin, err := t.readPIN()
	if err != nil {
		return err
	}
	if err := t.pin.checkLength(pin); err != nil {
		return unasked("%w", err)
	}
	t.slot = uint(of.Slot)
	return withProvider(func(p *pkcs11.Provider, c config.Config) error { return t.runAlone(p, c.Slots[t.slot].State, pin) })
}

// oneAtATime is how long a check waits for others.
const oneAtATime = 10 * time.Second

// runAlone signs while no other check does: many at a time would all find as many tries as a new PIN has.
func (t *trial) runAlone(p *pkcs11.Provider, state string, pin []byte) error {
	directory, err := os.Open(state)
	if err != nil {
		return err
	}
	defer directory.Close() // which gives the lock back
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err = unix.Flock(int(directory.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if time.Since(start) >= oneAtATime {
			return unasked("another check is under way: %w", err)
		}
	}
	pins, err := p.PINsOf(t.slot)
	if err != nil {
		return err
	}
	if pins.User.Left < pinTries {
		return unasked("no signature was made: %s", triesGone(pins.User.Left))
	}
	return t.signIn(p, pin)
}

// pinTries is how many tries a PIN has left that nobody has mistaken.
const pinTries = doctor.PINTries

func whyNoLogin(of *doctor.Vitals) string {
	if of.UserTries == nil {
		return "the token has no user PIN"
	}
	return triesGone(*of.UserTries)
}

func triesGone(left int) string {
	if left == 0 {
		return "the user PIN is locked, and the SO sets a new one by \"token unlock\""
	}
	return fmt.Sprintf("after wrong ones the user PIN has %d tries left, and check takes none of them; a right login sets the count back", left)
}

// find finds the only token that the URI fits.
func (t *trial) find(slots []doctor.Vitals) (found *doctor.Vitals, err error) {
	n := 0
	for i := range slots {
		if s := &slots[i]; s.Initialized && t.uri.fits(s) {
			found, n = s, n+1
		}
	}
	switch {
	case n == 0:
		return nil, errors.New("no token fits the URI; \"token list\" shows those of the tokens that there are")
	case n > 1:
		return nil, unasked("%d tokens fit the URI; name one by serial", n)
	}
	return found, nil
}

func (u keyURI) fits(s *doctor.Vitals) bool {
	for _, pair := range []struct{ wanted, is string }{
		{u.token, s.Label}, {u.serial, s.Serial}, {u.model, s.Model}, {u.slot, strconv.Itoa(s.Slot)},
	} {
		if pair.wanted != "" && pair.wanted != pair.is {
			return false
		}
	}
	return true
}

// readPIN reads the PIN from the options, a credential of systemd, or the URI. It asks nobody.
func (t *trial) readPIN() ([]byte, error) {
	o := t.pin.found
	var err error
	if !o.given {
		o, err = t.pin.fromCredential()
	}
	place := pinPlace{t.pin.inText(), "pin-source"}
	switch source := t.uri.pinSource; {
	case err != nil:
	case o.given:
		return []byte(o.value), nil
	case t.uri.pinValue != "":
		return []byte(t.uri.pinValue), nil
	case strings.HasPrefix(source, "|"):
		err = errors.New("pin-source names a program, and check runs none")
	case source != "":
		o.value, err = place.fromFile(strings.TrimPrefix(strings.TrimPrefix(source, "file:"), "//"))
	default:
		err = errors.New("--key needs the PIN: by --pin-file, --pin-fd, --pin-env, pin-source in the URI, or a credential zk_pkcs11.pin of systemd")
	}
	if err != nil {
		return nil, unasked("%w", err)
	}
	return []byte(o.value), nil
}

// signIn signs in a session of the user.
func (t *trial) signIn(p *pkcs11.Provider, pin []byte) error {
	session, err := p.OpenSession(t.slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return err
	}
	defer p.CloseSession(session)
	if err := p.Login(session, pkcs11.CKU_USER, pin); err != nil {
		return err
	}
	private, err := t.key(p, session, pkcs11.CKO_PRIVATE_KEY)
	if err != nil {
		return err
	}
	public, err := t.key(p, session, pkcs11.CKO_PUBLIC_KEY)
	if err != nil {
		return err
	}
	mechanism, err := signingMechanism(p, session, private)
	if err != nil {
		return err
	}
	return t.signAndVerify(p, session, mechanism, keyPair{private, public, pin})
}

// keyPair is the handles of both halves, and the PIN for a key that asks for it each time.
type keyPair struct {
	private, public uint
	pin             []byte
}

func (t *trial) signAndVerify(p *pkcs11.Provider, session uint, m *pkcs11.Mechanism, k keyPair) error {
	message := make([]byte, 32)
	rand.Read(message)
	begin := time.Now()
	if err := p.SignInit(session, m, k.private); err != nil {
		return err
	}
	if flagOf(p, session, k.private, pkcs11.CKA_ALWAYS_AUTHENTICATE) {
		if err := p.Login(session, pkcs11.CKU_CONTEXT_SPECIFIC, k.pin); err != nil {
			return err
		}
	}
	signature := make([]byte, 8192)
	n := uint(len(signature))
	if err := p.Sign(session, message, pkcs11.Output[byte]{Buffer: signature, Length: &n}); err != nil {
		return err
	}
	t.took = time.Since(begin)
	if err := p.VerifyInit(session, m, k.public); err != nil {
		return err
	}
	if err := p.Verify(session, message, signature[:n]); err != nil {
		return fmt.Errorf("the signature does not verify: %w", err)
	}
	return nil
}

// key finds the only key of a class that the URI names.
func (t *trial) key(p *pkcs11.Provider, session, class uint) (uint, error) {
	template := []pkcs11.Attribute{{Type: pkcs11.CKA_CLASS, Value: numberValue(class)}}
	if t.uri.object != "" {
		template = append(template, pkcs11.Attribute{Type: pkcs11.CKA_LABEL, Value: []byte(t.uri.object)})
	}
	if t.uri.id != nil {
		template = append(template, pkcs11.Attribute{Type: pkcs11.CKA_ID, Value: t.uri.id})
	}
	if err := p.FindObjectsInit(session, template); err != nil {
		return 0, err
	}
	found := make([]uint, 2)
	n, err := p.FindObjects(session, found)
	if err := errors.Join(err, p.FindObjectsFinal(session)); err != nil {
		return 0, err
	}
	kind := map[uint]string{pkcs11.CKO_PRIVATE_KEY: "private", pkcs11.CKO_PUBLIC_KEY: "public"}[class]
	switch n {
	case 0:
		return 0, fmt.Errorf("the token has no %s key that the URI names", kind)
	case 1:
		return found[0], nil
	}
	return 0, unasked("the URI names several %s keys; tell them apart by id and object together; \"key list\" shows both", kind)
}

// numberValue is a CK_ULONG as an attribute has it.
func numberValue(n uint) []byte {
	if strconv.IntSize == 32 {
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(n))
}

// numberOf reads an attribute that is a number.
func numberOf(p *pkcs11.Provider, session, object, attribute uint) (uint, error) {
	b := make([]byte, strconv.IntSize/8)
	n := uint(len(b))
	err := p.GetAttributeValue(session, object, []pkcs11.Query{{Type: attribute, Buffer: b, Length: &n}})
	if err != nil {
		return 0, err
	}
	if len(b) == 4 {
		return uint(binary.NativeEndian.Uint32(b)), nil
	}
	return uint(binary.NativeEndian.Uint64(b)), nil
}

// flagOf reports whether an attribute is true.
func flagOf(p *pkcs11.Provider, session, object, attribute uint) bool {
	b, n := []byte{0}, uint(1)
	err := p.GetAttributeValue(session, object, []pkcs11.Query{{Type: attribute, Buffer: b, Length: &n}})
	return err == nil && b[0] != 0
}

// signingMechanism chooses how a key signs.
func signingMechanism(p *pkcs11.Provider, session, key uint) (*pkcs11.Mechanism, error) {
	kind, err := numberOf(p, session, key, pkcs11.CKA_KEY_TYPE)
	if err != nil {
		return nil, err
	}
	mechanism, can := map[uint]uint{
		pkcs11.CKK_EC: pkcs11.CKM_ECDSA_SHA256, pkcs11.CKK_EC_EDWARDS: pkcs11.CKM_EDDSA,
		pkcs11.CKK_RSA: pkcs11.CKM_SHA256_RSA_PKCS, pkcs11.CKK_ML_DSA: pkcs11.CKM_ML_DSA,
	}[kind]
	if !can {
		return nil, unasked("a key of this type makes no signatures")
	}
	return &pkcs11.Mechanism{Type: mechanism}, nil
}
