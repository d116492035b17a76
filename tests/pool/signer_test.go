// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// signer signs with the key that all SCMs of the pool hold.
type signer struct {
	ctx    *pkcs11.Ctx
	key    pkcs11.ObjectHandle
	public *ecdsa.PublicKey
}

// report is what the threads of a process have seen.
type report struct {
	Signed, Failed int
	Seconds        float64  // that the slowest process took
	Fastest        float64  // and the fastest
	Errors         []string // the first of them
}

func openSigner(module string) (*signer, error) {
	s := &signer{ctx: pkcs11.New(module)}
	if err := s.ctx.Initialize(); err != nil {
		return nil, err
	}
	session, err := s.session()
	if err != nil {
		return nil, err
	}
	if err := s.ctx.Login(session, pkcs11.CKU_USER, harness.UserPIN); err != nil {
		return nil, err
	}
	if s.public, err = s.readPublic(session); err != nil {
		return nil, err
	}
	s.key, err = s.find(session, pkcs11.CKO_PRIVATE_KEY)
	return s, err
}

func (s *signer) session() (pkcs11.SessionHandle, error) {
	return s.ctx.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
}

// find returns the half of the shared key.
func (s *signer) find(session pkcs11.SessionHandle, class uint) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, keyLabel),
	}
	if err := s.ctx.FindObjectsInit(session, template); err != nil {
		return 0, err
	}
	found, _, err := s.ctx.FindObjects(session, 2)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d objects %q", len(found), keyLabel)
	}
	if err := errors.Join(err, s.ctx.FindObjectsFinal(session)); err != nil {
		return 0, err
	}
	return found[0], nil
}

func (s *signer) readPublic(session pkcs11.SessionHandle) (*ecdsa.PublicKey, error) {
	o, err := s.find(session, pkcs11.CKO_PUBLIC_KEY)
	if err != nil {
		return nil, err
	}
	values, err := s.ctx.GetAttributeValue(session, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, err
	}
	var point []byte
	if _, err := asn1.Unmarshal(values[0].Value, &point); err != nil {
		return nil, err
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// run makes so many signatures with each of so many threads, and verifies them all.
func (s *signer) run(threads, count int) report {
	var all sync.WaitGroup
	reports := make([]report, threads)
	began := time.Now()
	for i := range reports {
		all.Go(func() { s.thread(&reports[i], count) })
	}
	all.Wait()
	took := time.Since(began).Seconds()
	sum := report{Seconds: took, Fastest: took}
	for _, r := range reports {
		sum.add(r)
	}
	return sum
}

func (r *report) add(other report) {
	r.Signed, r.Failed, r.Errors = r.Signed+other.Signed, r.Failed+other.Failed, append(r.Errors, other.Errors...)
	r.Seconds = max(r.Seconds, other.Seconds)
	if r.Fastest == 0 || other.Fastest != 0 && other.Fastest < r.Fastest {
		r.Fastest = other.Fastest
	}
}

func (s *signer) thread(r *report, count int) {
	session, err := s.session()
	if err != nil {
		r.note(err)
		return
	}
	for i := range count {
		r.note(s.sign(session, i))
	}
}

func (r *report) note(err error) {
	if err == nil {
		r.Signed++
		return
	}
	if r.Failed++; len(r.Errors) < 3 {
		r.Errors = append(r.Errors, err.Error())
	}
}

// sign makes one signature and verifies it.
func (s *signer) sign(session pkcs11.SessionHandle, i int) error {
	digest := sha256.Sum256(fmt.Appendf(nil, "message %d", i))
	if err := s.ctx.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, s.key); err != nil {
		return err
	}
	sig, err := s.ctx.Sign(session, digest[:])
	if err != nil {
		return err
	}
	half := len(sig) / 2
	if !ecdsa.Verify(s.public, digest[:], new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])) {
		return errors.New("a wrong signature")
	}
	return nil
}
