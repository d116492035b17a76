/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Base64 of RFC 4648, for programs that are written for the vendor's header of this name.
 * The functions are in the header: nothing has to be linked. Results are from malloc, with a
 * zero byte after them; the last parameter receives their length, and may be NULL.
 */
#ifndef ZK_B64_H
#define ZK_B64_H 1

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Returns NULL for a length below 0, and when there is no memory. */
static inline char *zkB64Encode(const uint8_t *data, int size, int *encoded_size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = size < 0 ? NULL : (char *)malloc(((size_t)size + 2) / 3 * 4 + 1), *to = text;
	if (!text)
		return NULL;
	for (int i = 0; i < size; i += 3) {
		int left = size - i;
		uint32_t bits = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0);
		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[bits & 63] : '=';
	}
	*to = 0;
	if (encoded_size)
		*encoded_size = (int)(to - text);
	return text;
}

/* The value of a digit, -1 for what is none. */
static inline int zkB64Digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Leaves line ends out. Returns NULL for what is not Base64, and when there is no memory. */
static inline uint8_t *zkB64Decode(const char *text, int size, int *decoded_size)
{
	uint8_t *data = size < 0 ? NULL : (uint8_t *)malloc((size_t)size / 4 * 3 + 4), *to = data;
	uint32_t bits = 0;
	int digits = 0, padding = 0;
	for (int i = 0; data && i < size; i++) {
		int digit = zkB64Digit(text[i]);
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		padding += text[i] == '=';
		if ((digit < 0) != (text[i] == '=') || (padding && digit >= 0))
			goto bad;
		bits = bits << 6 | (digit < 0 ? 0 : (uint32_t)digit);
		if (++digits % 4 == 0) {
			*to++ = (uint8_t)(bits >> 16);
			*to++ = (uint8_t)(bits >> 8);
			*to++ = (uint8_t)bits;
		}
	}
	if (!data || digits % 4 || padding > 2)
		goto bad;
	to -= padding;
	*to = 0;
	if (decoded_size)
		*decoded_size = (int)(to - data);
	return data;
bad:
	free(data);
	return NULL;
}

#endif /* ZK_B64_H */
