/* SPDX-License-Identifier: BSD-2-Clause */
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "auth/htpasswd.h"
#include "base/mem.h"

#define HASH_CHARS "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789"

/* With the length of what stands behind the last "$". */
static const struct {
	const char *prefix;
	size_t tail;
} kinds[] = {
	{ "$2a$", 53 }, { "$2b$", 53 }, { "$2y$", 53 }, { "$y$", 43 },
	{ "$6$", 86 }, { "$5$", 43 },
};

/* crypt_checksalt(3) looks at the prefix only. */
static int
is_whole(const char *hash, size_t tail)
{
	const char *last = strrchr(hash, '$') + 1;

	if (strlen(last) != tail || strspn(last, HASH_CHARS) != tail)
		return 0;
	/* "$2y$05$" */
	return hash[1] != '2' || (last == hash + 7 &&
	    strspn(hash + 4, "0123456789") == 2);
}

/* Why a hash will not do; NULL: it will. */
static const char *
check_hash(const char *hash)
{
	size_t i;

	if (strncmp(hash, "$apr1$", 6) == 0)
		return "is Apache's MD5 ($apr1$), which crypt(3) does not "
		    "know; make it again with htpasswd -B";
	if (hash[0] == '{')
		return "is one of LDAP's ({SHA} and the like), without "
		    "effort to guess; make it again with htpasswd -B";
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(hash, kinds[i].prefix,
		    strlen(kinds[i].prefix)) == 0)
			return is_whole(hash, kinds[i].tail) ? NULL :
			    "is damaged; make it again with htpasswd -B";
	return "is plain text or of a weak kind; make it again with htpasswd "
	    "-B";
}

/* One line, which is ended by a NUL; NULL, or what is wrong with it. */
static const char *
add_line(struct users *u, char *line)
{
	char *colon = strchr(line, ':'), *hash, *p;
	const char *why;

	if (line[0] == '\0' || line[0] == '#')
		return NULL;
	if (colon == NULL || colon == line)
		return "is not \"name:hash\"";
	*colon = '\0';
	for (p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "has a name with a control character";
	hash = colon + 1;
	hash[strcspn(hash, ":")] = '\0';
	if ((why = check_hash(hash)) != NULL)
		return why;
	if (map_get(&u->hashes, line, strlen(line)) != NULL)
		return "has a name that was there before";
	u->v = xrealloc(u->v, (u->n + 1) * sizeof(*u->v));
	u->v[u->n] = xstrdup(hash);
	(void)map_put(&u->hashes, line, strlen(line), u->v[u->n++]);
	return NULL;
}

struct users *
users_parse(const char *text, size_t n, char why[HTPASSWD_WHY])
{
	struct users *u = xcalloc(1, sizeof(*u));
	const char *p = text, *end = text + n, *nl, *bad = NULL;
	int number;
	char *line;

	for (number = 1; p < end && bad == NULL; number++, p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		if (memchr(p, '\0', (size_t)(nl - p)) != NULL) {
			bad = "has a NUL";
			break;
		}
		line = xstrndup(p, (size_t)(nl - p));
		if (nl > p && nl[-1] == '\r')
			line[nl - p - 1] = '\0';
		bad = add_line(u, line);
		free(line);
		if (bad != NULL)
			break;
	}
	if (bad != NULL)
		(void)snprintf(why, HTPASSWD_WHY, "line %d %s", number, bad);
	else if (u->n == 0)
		(void)snprintf(why, HTPASSWD_WHY, "it has no user; htpasswd "
		    "-B adds one");
	if (bad == NULL && u->n > 0)
		return u;
	users_free(u);
	return NULL;
}

void
users_free(struct users *u)
{
	size_t i;

	if (u == NULL)
		return;
	map_free(&u->hashes);
	for (i = 0; i < u->n; i++)
		free(u->v[i]);
	free(u->v);
	free(u);
}

const char *
users_hash(const struct users *u, hostd_buf name)
{
	return map_get(&u->hashes, name.p, name.n);
}

const char *
users_stand_in(const struct users *u, uint32_t number)
{
	return u->v[number % u->n];
}

int
password_fits(const char *password, const char *hash)
{
	void *data = NULL;
	int size = 0, fits;
	size_t n = strlen(hash);
	char *got = crypt_ra(password, hash, &data, &size);

	fits = got != NULL && strlen(got) == n &&
	    CRYPTO_memcmp(got, hash, n) == 0;
	if (data != NULL)
		OPENSSL_cleanse(data, (size_t)size);
	free(data);
	return fits;
}
