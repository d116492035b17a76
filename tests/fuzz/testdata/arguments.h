/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Random arguments. A function is described by one letter for each argument, or
 * for two that belong together:
 *
 *	s session   k object or key   K mostly none                 S slot
 *	M mechanism type              u any number
 *	1 CK_BBOOL  U user type       O flags of C_OpenSession      E CKF_DONT_BLOCK
 *	m CK_MECHANISM_PTR, or one that is for h digests, y signatures, r those with the data in them, n new keys,
 *	  a new secret keys, e agreements, l ciphers, W wrapped keys, v messages and keys wrapped with other data
 *	x parameter of a message, and its length
 *	C key of a cipher, or none
 *	w where one result goes       z a pointer, mostly NULL
 *	N a name    V a version       L a label of 32 bytes         I arguments of C_Initialize
 *	d data and its length         b buffer and where its length is
 *	g buffer and its length       B the same, for elements of any size
 *	t template and its length     q template to be filled, and its length
 *	G, R, T templates of a new public, private and secret key  o saved state and its length
 *	P PIN and its length          H list of handles and its length
 *
 * A pointer is NULL now and then, whatever it is for; a length is then anything.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H 1

#include "codes.h"
#include "random.h"

#define HUGE_LENGTH ((CK_ULONG)-1 / 2)

enum { HANDLES = 64, ARGUMENTS = 12 };

static CK_UTF8CHAR right_pin[] = "12345678"; /* of the user and of the SO: all who set one set this */
enum { PIN = 8 };

/* pool is what a thread knows of handles that are or were valid. */
struct pool {
	CK_ULONG handles[HANDLES];
	unsigned given;
};

/* caller is a thread that calls. */
struct caller {
	struct dice dice;
	struct pool sessions, objects;
	CK_ULONG session; /* the one in use */
	CK_ULONG arguments[ARGUMENTS];
	int count;
	CK_ULONG *results[4]; /* where the results of the call go, or NULL */
	int expected; /* how many of these there are */
	CK_ULONG *list; /* where a list of handles goes, or NULL */
	CK_BYTE state[512]; /* of C_GetOperationState */
	CK_ULONG state_length;
	int alone; /* no other thread calls */
	CK_MECHANISM_TYPE mechanism; /* of this call */
};

static inline void remember(struct pool *p, CK_ULONG handle)
{
	p->handles[p->given++ % HANDLES] = handle;
}

/* some returns one of the latest handles, now and then any number. */
static inline CK_ULONG some(struct dice *d, struct pool *p, unsigned latest)
{
	unsigned known = p->given < latest ? p->given : latest;
	if (known == 0 || one_in(d, 20))
		return roll(d, 2) ? roll(d, 1000) : (CK_ULONG)roll(d, (uint64_t)-1);
	return p->handles[(p->given - 1 - roll(d, known)) % HANDLES];
}

/* a_session is mostly the one of the calls before, so that these lead somewhere. */
static inline CK_ULONG a_session(struct caller *c)
{
	if (one_in(&c->dice, 8))
		return some(&c->dice, &c->sessions, 8);
	if (one_in(&c->dice, 30))
		c->session = some(&c->dice, &c->sessions, 4);
	return c->session;
}

static inline CK_ULONG length_at_null(struct dice *d)
{
	static const CK_ULONG lengths[] = {0, 0, 0, 1, 32, 4096, 0x7fffffff, 0x80000000, HUGE_LENGTH, (CK_ULONG)-1};
	return PICK(d, lengths);
}

static inline void push(struct caller *c, CK_ULONG value) { c->arguments[c->count++] = value; }

static inline void push_pointer(struct caller *c, void *p) { push(c, (CK_ULONG)(uintptr_t)p); }

/* push_both pushes a pointer and its length, or now and then NULL and any length. */
static inline void push_both(struct caller *c, void *p, CK_ULONG n)
{
	int null = one_in(&c->dice, 16);
	push_pointer(c, null ? NULL : p);
	push(c, null ? length_at_null(&c->dice) : n);
}

static inline CK_ULONG number(struct dice *d)
{
	static const CK_ULONG numbers[] = {0, 1, 2, 3, 4, 7, 16, 100, 527, 528, 0x40, 0x41, 0xffff, 0x80000000, HUGE_LENGTH, (CK_ULONG)-1};
	return one_in(d, 4) ? roll(d, (uint64_t)-1) : PICK(d, numbers);
}

/* What there is for a purpose, and what is for none. */
static const CK_MECHANISM_TYPE digests[] = {CKM_SHA_1, CKM_SHA256, CKM_SHA512, CKM_SHA3_256};
static const CK_MECHANISM_TYPE signatures[] = {
	CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_ECDSA_SHA512, CKM_ECDSA_SHA3_256, CKM_EDDSA, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS,
};
static const CK_MECHANISM_TYPE generations[] = {CKM_EC_KEY_PAIR_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN};
static const CK_MECHANISM_TYPE ciphers[] = {CKM_ZK_LOCK, CKM_AES_CBC_PAD};
static const CK_MECHANISM_TYPE wraps[] = {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_RSA_PKCS};
static const CK_MECHANISM_TYPE oddities[] = {CKM_ECDH1_DERIVE, CKM_RSA_PKCS, CKM_AES_GCM, CKM_DES3_CBC, 0x7fffffff};

static inline CK_MECHANISM_TYPE mechanism_type(struct dice *d, char purpose)
{
	static const char purposes[] = "hyrnaelWvm";
	switch (one_in(d, 8) ? PICK(d, purposes) : purpose) {
	case 'h': return PICK(d, digests);
	case 'y': return PICK(d, signatures);
	case 'r': return CKM_RSA_PKCS;
	case 'n': return one_in(d, 24) ? CKM_RSA_PKCS_KEY_PAIR_GEN : PICK(d, generations); /* which takes its time */
	case 'a': return CKM_AES_KEY_GEN;
	case 'e': return CKM_ECDH1_DERIVE;
	case 'l': return PICK(d, ciphers);
	case 'W': return PICK(d, wraps);
	case 'v': return CKM_AES_GCM;
	default: return PICK(d, oddities);
	}
}

static CK_BYTE generator[] = { /* of P-256, a point that is on the curve */
	0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
	0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
	0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

/* parameter makes one that is right for the mechanism, or nearly so. */
static inline void parameter(struct dice *d, CK_MECHANISM *m)
{
	CK_BYTE *point = copy(d, generator, sizeof generator);
	CK_ECDH1_DERIVE_PARAMS ecdh = {one_in(d, 8) ? number(d) : CKD_NULL, 0, NULL, sizeof generator, one_in(d, 8) ? NULL : point};
	CK_EDDSA_PARAMS eddsa = {one_in(d, 3), one_in(d, 3) ? length_at_null(d) : 0, NULL};
	if (!ecdh.pPublicData || one_in(d, 8))
		ecdh.ulPublicDataLen = ecdh.pPublicData ? roll(d, sizeof generator) : length_at_null(d);
	if (m->mechanism == CKM_ECDH1_DERIVE) {
		m->pParameter = copy(d, &ecdh, sizeof ecdh);
		m->ulParameterLen = sizeof ecdh;
	} else if (m->mechanism == CKM_EDDSA && one_in(d, 2)) {
		m->pParameter = copy(d, &eddsa, sizeof eddsa);
		m->ulParameterLen = sizeof eddsa;
	} else if (m->mechanism == CKM_ZK_LOCK && one_in(d, 2)) {
		m->pParameter = memset(block(d, 1), roll(d, 3), 1);
		m->ulParameterLen = 1;
	} else if (m->mechanism == CKM_AES_CBC_PAD) {
		m->pParameter = memset(block(d, 16), roll(d, 3), 16);
		m->ulParameterLen = 16;
	}
	if (m->mechanism == CKM_AES_GCM && one_in(d, 2)) {
		CK_GCM_WRAP_PARAMS wrap = {block(d, 12), one_in(d, 8) ? 0 : 12, one_in(d, 8) ? number(d) : 0, roll(d, 6), NULL, 0, one_in(d, 8) ? number(d) : 128};
		m->pParameter = copy(d, &wrap, sizeof wrap);
		m->ulParameterLen = sizeof wrap;
	}
	if (one_in(d, 10)) { /* cut short or off */
		CK_ULONG n = m->ulParameterLen ? roll(d, m->ulParameterLen) : roll(d, 40);
		m->pParameter = one_in(d, 2) ? NULL : memset(block(d, n), 0, n); /* no pointers to anywhere */
		m->ulParameterLen = m->pParameter ? n : length_at_null(d);
	}
}

static inline void push_mechanism(struct caller *c, char purpose)
{
	CK_MECHANISM m = {mechanism_type(&c->dice, purpose), NULL, 0};
	parameter(&c->dice, &m);
	c->mechanism = m.mechanism;
	push_pointer(c, one_in(&c->dice, 24) ? NULL : copy(&c->dice, &m, sizeof m));
}

/* push_message pushes the parameter of a message of AES-GCM, whose tag is never right. */
static inline void push_message(struct caller *c)
{
	struct dice *d = &c->dice;
	CK_GCM_MESSAGE_PARAMS p = {block(d, 12), one_in(d, 8) ? 0 : 12, one_in(d, 4) ? number(d) : 32, roll(d, 6), block(d, 16), one_in(d, 8) ? number(d) : 128};
	if (p.ulTagBits > 128) /* where there is none */
		p.pTag = NULL;
	push_both(c, copy(d, &p, sizeof p), one_in(d, 16) ? roll(d, sizeof p) : sizeof p);
}

static inline void push_data(struct caller *c)
{
	static const CK_ULONG lengths[] = {0, 1, 20, 31, 32, 33, 48, 63, 64, 64, 65, 128, 1000, PAGE};
	CK_ULONG n = PICK(&c->dice, lengths);
	CK_BYTE *data = block(&c->dice, n);
	if (n)
		memset(data, roll(&c->dice, 256), n);
	push_both(c, data, n);
}

/* push_buffer pushes a buffer and a pointer to its length, which may be a lie:
 * nothing the token returns is as long as the buffer is then. */
static inline void push_buffer(struct caller *c, CK_ULONG element)
{
	static const CK_ULONG lengths[] = {0, 1, 20, 31, 32, 63, 64, 65, 128, 500};
	CK_ULONG n = PICK(&c->dice, lengths), *where = block(&c->dice, sizeof *where);
	CK_BYTE *buffer = block(&c->dice, n * element > PAGE ? PAGE : n * element);
	*where = n * element > PAGE ? PAGE / element : n;
	if (one_in(&c->dice, 12)) {
		buffer = block(&c->dice, PAGE);
		*where = HUGE_LENGTH;
	}
	if (one_in(&c->dice, 5)) {
		buffer = NULL;
		*where = length_at_null(&c->dice);
	}
	push_pointer(c, buffer);
	push_pointer(c, one_in(&c->dice, 24) ? NULL : where);
}

/* push_true_buffer is push_buffer for a result of any length: what it says is true. */
static inline void push_true_buffer(struct caller *c)
{
	static const CK_ULONG lengths[] = {0, 1, 64, 88, 500, PAGE};
	CK_ULONG n = PICK(&c->dice, lengths), *where = block(&c->dice, sizeof *where);
	CK_BYTE *buffer = block(&c->dice, n);
	*where = n;
	push_pointer(c, one_in(&c->dice, 5) ? NULL : buffer);
	push_pointer(c, one_in(&c->dice, 24) ? NULL : where);
}

/*
 * push_pin pushes a PIN that is right or one that cannot be set. Of several
 * threads none is wrong, or the PIN would be locked before its owner logs in.
 */
static inline void push_pin(struct caller *c)
{
	static const CK_ULONG wrong[] = {0, 1, 3, 256, 599};
	CK_ULONG n = c->alone && one_in(&c->dice, 4) ? PICK(&c->dice, wrong) : PIN;
	CK_BYTE *pin = block(&c->dice, n);
	memset(pin, 'x', n);
	if (n == PIN)
		memcpy(pin, right_pin, PIN);
	push_both(c, pin, n);
}

static inline void push_user(struct caller *c)
{
	static const CK_USER_TYPE users[] = {CKU_USER, CKU_USER, CKU_USER, CKU_CONTEXT_SPECIFIC, 7, (CK_USER_TYPE)-1, CKU_SO, CKU_SO};
	push(c, users[roll(&c->dice, c->alone ? 8 : 6)]);
}

/* push_result pushes room for one result of any kind, the largest of which is CK_TOKEN_INFO. */
static inline void push_result(struct caller *c)
{
	CK_ULONG *room = one_in(&c->dice, 24) ? NULL : block(&c->dice, 512);
	if (room)
		*room = CK_INVALID_HANDLE;
	c->results[c->expected++] = room;
	push_pointer(c, room);
}

static inline void push_handles(struct caller *c)
{
	CK_ULONG n = roll(&c->dice, 40);
	CK_ULONG *list = block(&c->dice, n * sizeof *list);
	push_both(c, list, n);
	c->list = c->arguments[c->count - 2] ? list : NULL;
}

/* push_state pushes a saved state, with a byte changed or the end cut off now and then. */
static inline void push_state(struct caller *c)
{
	struct dice *d = &c->dice;
	CK_ULONG n = c->state_length;
	CK_BYTE *state = copy(d, c->state, n);
	if (n && one_in(d, 3))
		state[roll(d, n)] ^= 1 << roll(d, 8);
	push_both(c, state, n && one_in(d, 6) ? roll(d, n) : n);
}

static inline void push_init(struct caller *c)
{
	static CK_C_INITIALIZE_ARGS some_flags;
	some_flags.flags = number(&c->dice);
	some_flags.pReserved = one_in(&c->dice, 3) ? &some_flags : NULL;
	push_pointer(c, one_in(&c->dice, 2) ? NULL : &some_flags);
}

#endif /* ARGUMENTS_H */
