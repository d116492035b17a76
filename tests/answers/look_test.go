// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// client is a program that uses the module, and prints what came of each of its steps.
type client struct {
	*pkcs11.Ctx
	session pkcs11.SessionHandle
}

var errWrong = errors.New("a signature by another key")

// look goes through what programs do with a token, or signs alone. A step that fails does
// not keep the others from being taken.
func look(module string, all bool) error {
	c := &client{Ctx: pkcs11.New(module)}
	if err := c.Initialize(); err != nil {
		return err
	}
	defer c.Finalize()
	if err := c.open(); err != nil {
		tell("open", err)
		return nil
	}
	tell("sign", c.signs(slotIs(0)))
	if !all {
		return nil
	}
	tell("kept", c.signs(idIs("kept")))
	tell("edwards", c.signs(slotIs(15)))
	tell("agree", c.agrees())
	tell("random", c.draws())
	tell("lock", c.locks())
	tell("peer", c.sees(idIs("peer")))
	tell("foreign", c.keepsForeign())
	tell("generate", c.generates())
	return nil
}

// tell prints the outcome of a step.
func tell(step string, err error) {
	outcome := "ok"
	var rv pkcs11.Error
	switch {
	case errors.As(err, &rv):
		outcome = fmt.Sprintf("%#x", uint(rv))
	case err != nil:
		outcome = err.Error()
	}
	fmt.Println(step, outcome)
}

func (c *client) open() (err error) {
	if c.session, err = c.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return err
	}
	return c.Login(c.session, pkcs11.CKU_USER, harness.UserPIN)
}

func slotIs(n int) *pkcs11.Attribute     { return pkcs11.NewAttribute(live.CKA_ZK_SLOT, n) }
func idIs(id string) *pkcs11.Attribute   { return pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(id)) }
func classIs(n uint) *pkcs11.Attribute   { return pkcs11.NewAttribute(pkcs11.CKA_CLASS, n) }
func foreignIs(b bool) *pkcs11.Attribute { return pkcs11.NewAttribute(live.CKA_ZK_FOREIGN, b) }

// find returns the only object of a template.
func (c *client) find(template ...*pkcs11.Attribute) (pkcs11.ObjectHandle, error) {
	if err := c.FindObjectsInit(c.session, template); err != nil {
		return 0, err
	}
	found, _, err := c.FindObjects(c.session, 2)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d objects", len(found))
	}
	if err = errors.Join(err, c.FindObjectsFinal(c.session)); err != nil {
		return 0, err
	}
	return found[0], nil
}

func (c *client) sees(template ...*pkcs11.Attribute) error {
	_, err := c.find(template...)
	return err
}

// point is the public key of an object, as it is in the OCTET STRING.
func (c *client) point(o pkcs11.ObjectHandle) (point []byte, err error) {
	a, err := c.GetAttributeValue(c.session, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err == nil {
		_, err = asn1.Unmarshal(a[0].Value, &point)
	}
	return point, err
}

// signs signs 32 bytes with a key, and verifies by the public key that the module shows.
func (c *client) signs(which *pkcs11.Attribute) error {
	public, err := c.find(classIs(pkcs11.CKO_PUBLIC_KEY), which, foreignIs(false))
	if err != nil {
		return err
	}
	private, err := c.find(classIs(pkcs11.CKO_PRIVATE_KEY), which)
	if err != nil {
		return err
	}
	point, err := c.point(public)
	if err != nil {
		return err
	}
	mechanism := uint(pkcs11.CKM_ECDSA)
	if len(point) == ed25519.PublicKeySize {
		mechanism = live.CKM_EDDSA
	}
	if err := c.SignInit(c.session, live.Mechanism(mechanism), private); err != nil {
		return err
	}
	digest := bytes.Repeat([]byte{0x5a}, 32)
	sig, err := c.Sign(c.session, digest)
	if err == nil && !valid(point, digest, sig) {
		err = errWrong
	}
	return err
}

func valid(point, digest, sig []byte) bool {
	if len(point) == ed25519.PublicKeySize {
		return ed25519.Verify(point, digest, sig)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil || len(sig) != 64 {
		return false
	}
	return ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// agrees derives a secret with slot 0, and with the other key.
func (c *client) agrees() error {
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	private, err := c.find(classIs(pkcs11.CKO_PRIVATE_KEY), slotIs(0))
	if err != nil {
		return err
	}
	params := pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, peer.PublicKey().Bytes())
	m := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, params)}
	_, err = c.DeriveKey(c.session, m, private, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
	})
	return err
}

// draws draws random numbers, more than fit into one call.
func (c *client) draws() error {
	b, err := c.GenerateRandom(c.session, 700)
	if err == nil && bytes.Contains(b, make([]byte, 16)) {
		err = errors.New("zeros")
	}
	return err
}

// locks locks data, and gets it back; not so what was changed.
func (c *client) locks() error {
	m := live.Mechanism(live.CKM_ZK_LOCK)
	if err := c.EncryptInit(c.session, m, 0); err != nil {
		return err
	}
	locked, err := c.Encrypt(c.session, bytes.Repeat([]byte("data"), 500))
	if err != nil {
		return err
	}
	if err := c.DecryptInit(c.session, m, 0); err != nil {
		return err
	}
	if plain, err := c.Decrypt(c.session, locked); err != nil || string(plain[:8]) != "datadata" {
		return fmt.Errorf("%.8s: %w", plain, err)
	}
	locked[len(locked)-1] ^= 1
	if err := c.DecryptInit(c.session, m, 0); err != nil {
		return err
	}
	if _, err := c.Decrypt(c.session, locked); live.RV(err) != pkcs11.CKR_ENCRYPTED_DATA_INVALID {
		return fmt.Errorf("changed data: %w", err)
	}
	return nil
}

// keepsForeign stores a public key, finds it, and removes it.
func (c *client) keepsForeign() error {
	o, err := c.storeForeign("passing")
	if err != nil {
		return err
	}
	if err := c.sees(idIs("passing")); err != nil {
		return err
	}
	return c.DestroyObject(c.session, o)
}

func (c *client) storeForeign(id string) (pkcs11.ObjectHandle, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	template := append(live.PublicKey(pkcs11.CKK_EC, live.P256, key.PublicKey().Bytes()), foreignIs(true), idIs(id))
	return c.CreateObject(c.session, template)
}

// generates makes a key pair, signs with it, and destroys it.
func (c *client) generates() error {
	_, private, err := c.generate("new")
	if err != nil {
		return err
	}
	return errors.Join(c.signs(idIs("new")), c.DestroyObject(c.session, private))
}

func (c *client) generate(id string) (public, private pkcs11.ObjectHandle, err error) {
	half := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), idIs(id)}
	with := append([]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, live.P256)}, half...)
	return c.GenerateKeyPair(c.session, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), with, half)
}

// fill makes the keys that later processes look for: as many as ZK_TEST_KEYS says.
func fill(module string) error {
	c := &client{Ctx: pkcs11.New(module)}
	if err := c.Initialize(); err != nil {
		return err
	}
	defer c.Finalize()
	if err := c.open(); err != nil {
		return err
	}
	n, err := strconv.Atoi(os.Getenv("ZK_TEST_KEYS"))
	for i := range n {
		id := "kept"
		if i > 0 {
			id = fmt.Sprint("kept ", i)
		}
		_, _, failed := c.generate(id)
		err = errors.Join(err, failed)
	}
	_, failed := c.storeForeign("peer")
	return errors.Join(err, failed)
}
