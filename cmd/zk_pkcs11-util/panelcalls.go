// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// panelCall is a call of PKCS#11 and what it shows.
type panelCall struct {
	Call   string `json:"call"`
	Result string `json:"result"`
	Shows  string `json:"shows"`
}

func newPanelCall(call, shows string, err error) panelCall {
	c := panelCall{call, "CKR_OK", shows}
	var code pkcs11.Error
	switch {
	case errors.As(err, &code):
		c.Result, c.Shows = code.Error(), ""
	case err != nil:
		c.Result, c.Shows = "CKR_GENERAL_ERROR", ""
	}
	return c
}

// calls asks what a program would see at this moment, without a PIN.
func (v *panelView) calls(slot uint) []panelCall {
	if id, err := v.provider.WaitForSlotEvent(pkcs11.CKF_DONT_BLOCK); err == nil {
		v.note(fmt.Sprintf("C_WaitForSlotEvent: slot %d", id))
	}
	s, err := v.provider.GetSlotInfo(slot)
	all := []panelCall{newPanelCall("C_GetSlotInfo", slotFlags(s.Flags), err)}
	t, err := v.provider.GetTokenInfo(slot)
	all = append(all, newPanelCall("C_GetTokenInfo", fmt.Sprintf("%q, %s %s", t.Label, t.Model, tokenFlags(t.Flags)), err))
	n := uint(0)
	err = v.provider.GetMechanismList(slot, pkcs11.Output[uint]{Length: &n})
	all = append(all, newPanelCall("C_GetMechanismList", count(int(n), "mechanism"), err))
	shows, err := v.visible(slot)
	return append(all, newPanelCall("C_FindObjects", shows, err))
}

// visible tells which objects there are without a login.
func (v *panelView) visible(slot uint) (string, error) {
	session, err := v.provider.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return "", err
	}
	defer v.provider.CloseSession(session)
	if err := v.provider.FindObjectsInit(session, nil); err != nil {
		return "", err
	}
	found := make([]uint, 4096)
	n, err := v.provider.FindObjects(session, found)
	if err := errors.Join(err, v.provider.FindObjectsFinal(session)); err != nil {
		return "", err
	}
	return count(n, "object") + " without login", nil
}

func slotFlags(flags uint) string {
	if flags&pkcs11.CKF_TOKEN_PRESENT != 0 {
		return "CKF_TOKEN_PRESENT"
	}
	return "no token"
}

// tokenFlags are the flags of a token that change.
func tokenFlags(flags uint) string {
	var names []string
	for _, f := range []struct {
		flag uint
		name string
	}{
		{pkcs11.CKF_TOKEN_INITIALIZED, "CKF_TOKEN_INITIALIZED"}, {pkcs11.CKF_USER_PIN_INITIALIZED, "CKF_USER_PIN_INITIALIZED"},
		{pkcs11.CKF_USER_PIN_COUNT_LOW, "CKF_USER_PIN_COUNT_LOW"}, {pkcs11.CKF_USER_PIN_FINAL_TRY, "CKF_USER_PIN_FINAL_TRY"},
		{pkcs11.CKF_USER_PIN_LOCKED, "CKF_USER_PIN_LOCKED"}, {pkcs11.CKF_SO_PIN_LOCKED, "CKF_SO_PIN_LOCKED"},
		{pkcs11.CKF_WRITE_PROTECTED, "CKF_WRITE_PROTECTED"}, {pkcs11.CKF_ERROR_STATE, "CKF_ERROR_STATE"},
	} {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " ")
}
