// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// beginOnly prints what the first call after C_Initialize answers, unless that fails.
func beginOnly(ctx *pkcs11.Ctx) (string, error) {
	if err := ctx.Initialize(); err != nil {
		return "", err
	}
	_, err := ctx.GetSlotList(false)
	return fmt.Sprint(live.RV(err)), nil
}

// session opens a session and logs the user in.
func session(ctx *pkcs11.Ctx, flags uint) (pkcs11.SessionHandle, error) {
	if err := ctx.Initialize(); err != nil {
		return 0, err
	}
	s, err := ctx.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|flags)
	if err != nil {
		return 0, err
	}
	return s, ctx.Login(s, pkcs11.CKU_USER, harness.UserPIN)
}

// createObject makes a data object on the token.
func createObject(ctx *pkcs11.Ctx) (string, error) {
	s, err := session(ctx, pkcs11.CKF_RW_SESSION)
	if err != nil {
		return "", err
	}
	_, err = ctx.CreateObject(s, []*pkcs11.Attribute{
		attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, "of another process"),
	})
	return "made", err
}

// generateKey makes a key pair on the token.
func generateKey(ctx *pkcs11.Ctx) (string, error) {
	s, err := session(ctx, pkcs11.CKF_RW_SESSION)
	if err != nil {
		return "", err
	}
	label := attr(pkcs11.CKA_LABEL, "of another process")
	_, _, err = ctx.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN),
		[]*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, live.P256), attr(pkcs11.CKA_TOKEN, true), label}, onToken(label))
	return "made", err
}

// lookAround prints whether the token can be written, how many objects are
// found, and signs; then it tries to write.
func lookAround(ctx *pkcs11.Ctx) (string, error) {
	s, err := session(ctx, pkcs11.CKF_RW_SESSION)
	if err != nil {
		return "", fmt.Errorf("login: %w", err)
	}
	info, err := ctx.GetTokenInfo(0)
	if err != nil {
		return "", err
	}
	if err := ctx.FindObjectsInit(s, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}); err != nil {
		return "", err
	}
	keys, _, err := ctx.FindObjects(s, 100)
	if err != nil || len(keys) == 0 {
		return "", fmt.Errorf("%d private keys: %w", len(keys), err)
	}
	err = errors.Join(ctx.FindObjectsFinal(s), ctx.SignInit(s, live.Mechanism(pkcs11.CKM_ECDSA), keys[0]))
	if err != nil {
		return "", err
	}
	signature, err := ctx.Sign(s, make([]byte, 32))
	if err != nil {
		return "", err
	}
	readOnly, err := ctx.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	return fmt.Sprintf("write-protected %t, %d keys, signature of %d bytes, C_CreateObject: %v, R/O: %v",
		info.Flags&pkcs11.CKF_WRITE_PROTECTED != 0, len(keys), len(signature), write(ctx, s), write(ctx, readOnly)), err
}

// write tries to make a token object.
func write(ctx *pkcs11.Ctx, s pkcs11.SessionHandle) pkcs11.Error {
	_, err := ctx.CreateObject(s, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), attr(pkcs11.CKA_TOKEN, true)})
	return live.RV(err)
}

// countSlots prints how many slots there are.
func countSlots(ctx *pkcs11.Ctx) (string, error) {
	if err := ctx.Initialize(); err != nil {
		return "", err
	}
	all, err := ctx.GetSlotList(false)
	if err != nil {
		return "", err
	}
	present, err := ctx.GetSlotList(true)
	return fmt.Sprintf("%d slot, %d with a token", len(all), len(present)), err
}
