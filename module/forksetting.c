/* SPDX-License-Identifier: Apache-2.0 */
#include "forksetting.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE "/etc/zk_pkcs11/zk_pkcs11.toml"
#define INHERIT "inherit"

enum { LARGEST = 1 << 20 }; /* bytes of a file that is read */

/* ---- TOML, as much of it as may stand before the first table -------------------------------------- */

typedef struct {
	const char *at, *end;
} text;

static int more(const text *t) { return t->at < t->end; }
static int see(const text *t, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(t->end - t->at) >= n && memcmp(t->at, word, n) == 0;
}

static int is_blank(char c) { return c == ' ' || c == '\t'; }
static int is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void skip_blanks(text *t)
{
	while (more(t) && is_blank(*t->at))
		t->at++;
}

/* Blanks, ends of lines and comments. */
static void skip_space(text *t)
{
	while (more(t)) {
		if (*t->at == '#')
			while (more(t) && *t->at != '\n')
				t->at++;
		else if (is_blank(*t->at) || *t->at == '\n' || *t->at == '\r')
			t->at++;
		else
			return;
	}
}

/* Reads a string in any quotes; what is in it, as it stands there, is what. */
static int read_string(text *t, text *what)
{
	const char *quotes[] = {"\"\"\"", "'''", "\"", "'"};
	int kind = 0;
	while (kind < 4 && !see(t, quotes[kind]))
		kind++;
	if (kind == 4)
		return -1;
	int escapes = kind % 2 == 0;
	t->at += strlen(quotes[kind]);
	for (what->at = t->at; more(t) && !see(t, quotes[kind]); t->at++) {
		if (kind >= 2 && *t->at == '\n')
			return -1;
		if (escapes && *t->at == '\\' && t->at + 1 < t->end)
			t->at++;
	}
	if (!more(t))
		return -1;
	what->end = t->at;
	t->at += strlen(quotes[kind]);
	if (kind < 2 && what->at < what->end && *what->at == '\r')
		what->at++;
	if (kind < 2 && what->at < what->end && *what->at == '\n')
		what->at++; /* the first line of these begins after it */
	return 0;
}

static int is(const text *t, const char *word) { return (size_t)(t->end - t->at) == strlen(word) && see(t, word); }

/* Reads a key up to the sign after it, and tells in it whether it is "fork". */
static int read_key(text *t, int *fork)
{
	int parts = 0;
	*fork = 0;
	for (;; t->at++) {
		text part = {t->at, t->at};
		skip_blanks(t);
		if (more(t) && (*t->at == '"' || *t->at == '\'')) {
			if (read_string(t, &part) != 0)
				return -1;
		} else {
			for (part.at = t->at; more(t) && is_bare(*t->at);)
				t->at++;
			part.end = t->at;
		}
		*fork = parts++ == 0 && is(&part, "fork");
		skip_blanks(t);
		if (!more(t) || *t->at != '.')
			break;
	}
	if (!more(t) || *t->at != '=')
		return -1;
	t->at++;
	skip_blanks(t);
	return 0;
}

/* Skips a value that is no string: lists and tables with all that is in them. */
static int skip_value(text *t)
{
	int depth = 0;
	text what;
	do {
		if (depth > 0)
			skip_space(t);
		if (!more(t))
			return -1;
		if (*t->at == '"' || *t->at == '\'') {
			if (read_string(t, &what) != 0)
				return -1;
			continue;
		}
		if (*t->at == '[' || *t->at == '{')
			depth++;
		if (*t->at == ']' || *t->at == '}')
			depth--;
		t->at++;
	} while (depth > 0);
	while (more(t) && *t->at != '\n' && *t->at != '#')
		t->at++;
	return 0;
}

int zk_fork_in_text(const char *bytes, size_t size)
{
	text t = {bytes, bytes + size};
	int fork = 0, inherit = 0;
	if (see(&t, "\xef\xbb\xbf"))
		t.at += 3;
	for (skip_space(&t); more(&t) && *t.at != '['; skip_space(&t)) {
		text value = {t.at, t.at};
		if (read_key(&t, &fork) != 0)
			return 0;
		if (!more(&t) || (*t.at != '"' && *t.at != '\'')) {
			if (skip_value(&t) != 0)
				return 0;
		} else if (read_string(&t, &value) != 0) {
			return 0;
		}
		if (fork)
			inherit = is(&value, INHERIT);
	}
	return inherit;
}

/* ---- where it stands ------------------------------------------------------------------------------- */

static int in_open_file(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > LARGEST)
		return 0;
	char *bytes = malloc(st.st_size + 1);
	size_t n = 0;
	ssize_t got = 1;
	while (bytes && got > 0 && n < (size_t)st.st_size) {
		got = read(fd, bytes + n, st.st_size - n);
		n += got > 0 ? got : 0;
	}
	int inherit = bytes && zk_fork_in_text(bytes, n);
	free(bytes);
	return inherit;
}

static int in_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return 0;
	int inherit = in_open_file(fd);
	close(fd);
	return inherit;
}

int zk_fork_setting(void)
{
	const char *variable = secure_getenv("ZK_PKCS11_FORK"), *file = secure_getenv("ZK_PKCS11_CONF");
	if (variable && *variable)
		return strcmp(variable, INHERIT) == 0;
	return in_file(file && *file ? file : DEFAULT_FILE);
}
