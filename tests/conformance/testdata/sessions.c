/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions and logins (5.6): the five states, and who may log in when. */
#include "check.h"

static CK_STATE state(CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO i;
	must(f->C_GetSessionInfo(s, &i));
	return i.state;
}

static void open_sessions(void)
{
	CK_SESSION_HANDLE s;
	CK_SESSION_INFO i;
	RV("C_OpenSession without CKF_SERIAL_SESSION", f->C_OpenSession(0, CKF_RW_SESSION, NULL, NULL, &s), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	RV("C_OpenSession without a place for the handle", f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	RV("C_OpenSession with an unknown slot", f->C_OpenSession(77, CKF_SERIAL_SESSION, NULL, NULL, &s), CKR_SLOT_ID_INVALID);
	RV("C_OpenSession for asynchronous operations", f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL, &s), CKR_SESSION_ASYNC_NOT_SUPPORTED);
	s = session(0);
	IS("a handle is not 0", s != CK_INVALID_HANDLE);
	RV("C_GetSessionInfo(NULL)", f->C_GetSessionInfo(s, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetSessionInfo", f->C_GetSessionInfo(s, &i), CKR_OK);
	IS("it is a session with slot 0", i.slotID == 0 && i.flags == CKF_SERIAL_SESSION && i.ulDeviceError == 0);
	RV("C_CloseSession", f->C_CloseSession(s), CKR_OK);
	RV("C_CloseSession twice", f->C_CloseSession(s), CKR_SESSION_HANDLE_INVALID);
	RV("C_CloseSession of no session", f->C_CloseSession(0), CKR_SESSION_HANDLE_INVALID);
	IS("a handle is not used again", session(0) != s);
	RV("C_CloseAllSessions of an unknown slot", f->C_CloseAllSessions(77), CKR_SLOT_ID_INVALID);
	RV("C_CloseAllSessions", f->C_CloseAllSessions(0), CKR_OK);
	RV("C_CloseAllSessions of none", f->C_CloseAllSessions(0), CKR_OK);
}

static void five_states(void)
{
	CK_SESSION_HANDLE ro = session(0), rw = session(CKF_RW_SESSION);
	IS("R/O public", state(ro) == CKS_RO_PUBLIC_SESSION);
	IS("R/W public", state(rw) == CKS_RW_PUBLIC_SESSION);
	must(f->C_Login(ro, CKU_USER, user_pin, PIN));
	IS("R/O user", state(ro) == CKS_RO_USER_FUNCTIONS);
	IS("R/W user, by a login in another session", state(rw) == CKS_RW_USER_FUNCTIONS);
	must(f->C_Logout(rw));
	IS("R/O public again", state(ro) == CKS_RO_PUBLIC_SESSION);
	IS("R/W public again", state(rw) == CKS_RW_PUBLIC_SESSION);
	must(f->C_CloseSession(ro));
	must(f->C_Login(rw, CKU_SO, so_pin, PIN));
	IS("R/W SO", state(rw) == CKS_RW_SO_FUNCTIONS);
	must(f->C_CloseAllSessions(0));
}

static void who_may_log_in(void)
{
	CK_SESSION_HANDLE ro = session(0), rw = session(CKF_RW_SESSION), s;
	RV("the SO beside a R/O session", f->C_Login(rw, CKU_SO, so_pin, PIN), CKR_SESSION_READ_ONLY_EXISTS);
	RV("an unknown user", f->C_Login(rw, 7, user_pin, PIN), CKR_USER_TYPE_INVALID);
	RV("a context without an operation", f->C_Login(rw, CKU_CONTEXT_SPECIFIC, user_pin, PIN), CKR_OPERATION_NOT_INITIALIZED);
	RV("no PIN", f->C_Login(rw, CKU_USER, NULL, 0), CKR_ARGUMENTS_BAD);
	RV("a PIN at NULL", f->C_Login(rw, CKU_USER, NULL, PIN), CKR_ARGUMENTS_BAD);
	RV("a wrong PIN", f->C_Login(rw, CKU_USER, so_pin, PIN), CKR_PIN_INCORRECT);
	RV("the PIN cut off", f->C_Login(rw, CKU_USER, user_pin, PIN - 1), CKR_PIN_INCORRECT);
	RV("no session", f->C_Login(0, CKU_USER, user_pin, PIN), CKR_SESSION_HANDLE_INVALID);
	RV("C_Logout of nobody", f->C_Logout(rw), CKR_USER_NOT_LOGGED_IN);
	RV("the user", f->C_Login(rw, CKU_USER, user_pin, PIN), CKR_OK);
	RV("the user twice", f->C_Login(ro, CKU_USER, user_pin, PIN), CKR_USER_ALREADY_LOGGED_IN);
	RV("the SO beside the user", f->C_Login(rw, CKU_SO, so_pin, PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	must(f->C_Logout(ro));
	must(f->C_CloseSession(ro));
	RV("the SO", f->C_Login(rw, CKU_SO, so_pin, PIN), CKR_OK);
	RV("the SO twice", f->C_Login(rw, CKU_SO, so_pin, PIN), CKR_USER_ALREADY_LOGGED_IN);
	RV("the user beside the SO", f->C_Login(rw, CKU_USER, user_pin, PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	RV("a R/O session beside the SO", f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s), CKR_SESSION_READ_WRITE_SO_EXISTS);
	RV("a R/W session beside the SO", f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s), CKR_OK);
	IS("it is the SO's, too", state(s) == CKS_RW_SO_FUNCTIONS);
	must(f->C_CloseAllSessions(0));
}

static void login_user(void)
{
	CK_SESSION_HANDLE s = session(CKF_RW_SESSION);
	CK_UTF8CHAR name[] = "alice";
	RV("C_LoginUser without a name", f->C_LoginUser(s, CKU_USER, user_pin, PIN, NULL, 0), CKR_OK);
	must(f->C_Logout(s));
	IS("C_LoginUser with a name is refused", f->C_LoginUser(s, CKU_USER, user_pin, PIN, name, 5) != CKR_OK);
	IS("and logs nobody in", state(s) == CKS_RW_PUBLIC_SESSION);
	must(f->C_CloseSession(s));
}

static CK_OBJECT_HANDLE data_object(CK_SESSION_HANDLE s, CK_BBOOL on_token, CK_BBOOL hidden)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE o;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &on_token, 1}, {CKA_PRIVATE, &hidden, 1}};
	must(f->C_CreateObject(s, t, COUNT(t), &o));
	return o;
}

static CK_RV look(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	CK_ATTRIBUTE t = {CKA_CLASS, NULL, 0};
	return f->C_GetAttributeValue(s, o, &t, 1);
}

static void logout(void)
{
	CK_SESSION_HANDLE s = user_session();
	CK_OBJECT_HANDLE key = slot_key(s, CKO_PRIVATE_KEY, 0), public = slot_key(s, CKO_PUBLIC_KEY, 0);
	CK_OBJECT_HANDLE hidden = data_object(s, CK_TRUE, CK_TRUE), session_hidden = data_object(s, CK_FALSE, CK_TRUE);
	CK_OBJECT_HANDLE open = data_object(s, CK_TRUE, CK_FALSE), session_open = data_object(s, CK_FALSE, CK_FALSE);
	must(f->C_Logout(s));
	RV("C_Logout takes private keys away", look(s, key), CKR_OBJECT_HANDLE_INVALID);
	RV("and private token objects", look(s, hidden), CKR_OBJECT_HANDLE_INVALID);
	RV("and private session objects", look(s, session_hidden), CKR_OBJECT_HANDLE_INVALID);
	RV("but not public keys", look(s, public), CKR_OK);
	RV("nor public token objects", look(s, open), CKR_OK);
	RV("nor public session objects", look(s, session_open), CKR_OK);
	must(f->C_Login(s, CKU_USER, user_pin, PIN));
	RV("the handle of a private key stays invalid", look(s, key), CKR_OBJECT_HANDLE_INVALID);
	RV("that of a private token object, too", look(s, hidden), CKR_OBJECT_HANDLE_INVALID);
	RV("the private session object is gone", look(s, session_hidden), CKR_OBJECT_HANDLE_INVALID);
	IS("the private key is found again", slot_key(s, CKO_PRIVATE_KEY, 0) != CK_INVALID_HANDLE);
	must(f->C_CloseAllSessions(0));
}

static void closing(void)
{
	CK_SESSION_HANDLE s = user_session(), other = session(CKF_RW_SESSION);
	CK_OBJECT_HANDLE of_s = data_object(s, CK_FALSE, CK_FALSE), of_other = data_object(other, CK_FALSE, CK_FALSE);
	CK_OBJECT_HANDLE stored = data_object(s, CK_TRUE, CK_FALSE);
	RV("another session sees a session object", look(other, of_s), CKR_OK);
	must(f->C_CloseSession(s));
	RV("C_CloseSession destroys its session objects", look(other, of_s), CKR_OBJECT_HANDLE_INVALID);
	RV("not those of another session", look(other, of_other), CKR_OK);
	RV("nor token objects", look(other, stored), CKR_OK);
	IS("the user stays logged in", state(other) == CKS_RW_USER_FUNCTIONS);
	must(f->C_CloseSession(other));
	other = session(CKF_RW_SESSION);
	IS("the last C_CloseSession logs out", state(other) == CKS_RW_PUBLIC_SESSION);
	must(f->C_Login(other, CKU_USER, user_pin, PIN));
	must(f->C_CloseAllSessions(0));
	RV("C_CloseAllSessions closes", look(other, stored), CKR_SESSION_HANDLE_INVALID);
	other = session(CKF_RW_SESSION);
	IS("C_CloseAllSessions logs out", state(other) == CKS_RW_PUBLIC_SESSION);
	must(f->C_CloseSession(other));
}

static void validations(void)
{
	CK_SESSION_HANDLE s = session(0);
	CK_FLAGS flags = 4711;
	RV("C_GetSessionValidationFlags of an unknown type", f->C_GetSessionValidationFlags(s, 77, &flags), CKR_ARGUMENTS_BAD);
	IS("writes nothing", flags == 4711);
	RV("C_GetSessionValidationFlags", f->C_GetSessionValidationFlags(s, CKS_LAST_VALIDATION_OK, &flags), CKR_OK);
	IS("tells of no validation", flags == 0);
	must(f->C_CloseSession(s));
}

static void many(void)
{
	enum { N = 5000 };
	static CK_SESSION_HANDLE all[N];
	CK_TOKEN_INFO i;
	for (int k = 0; k < N; k++)
		all[k] = session(k % 2 ? CKF_RW_SESSION : 0);
	must(f->C_GetTokenInfo(0, &i));
	IS("5000 sessions are open", i.ulSessionCount == N && i.ulRwSessionCount == N / 2);
	for (int k = 0; k < N; k++)
		must(f->C_CloseSession(all[k]));
	must(f->C_GetTokenInfo(0, &i));
	IS("and closed", i.ulSessionCount == 0 && i.ulRwSessionCount == 0);
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	open_sessions();
	five_states();
	who_may_log_in();
	login_user();
	logout();
	closing();
	validations();
	many();
	return done();
}
