/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's keys, for hostd.conf(5) and for the check of the installed file.
 *
 *	conf_keys		one line "BLOCK KEY DEFAULT" each
 *	conf_keys BLOCK		the items of an mdoc(7) list; "" is the top
 */
#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "config/model.h"
#include "config/schema.h"

static void
print_lines(const char *block)
{
	const struct hostd_key *const *k;

	for (k = conf_block_rows(block); *k != NULL; k++)
		(void)printf("%s %s %s\n", *block == '\0' ? "-" : block,
		    (*k)->name, (*k)->dflt == NULL ? "" : (*k)->dflt);
}

/* Text may neither start a request nor an escape. */
static void
print_text(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)fputs("\\&", stdout);
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			(void)fputs("\\e", stdout);
		else if (*s == ' ' && s[-1] == '.') {
			(void)putchar('\n');
			s += strspn(s, " ") - 1;
		}
		else
			(void)putchar(*s);
	}
	(void)putchar('\n');
}

static void
print_item(const struct hostd_key *k)
{
	size_t i;

	(void)printf(".It Ic %s No = Ar ", k->name);
	if (k->type != HOSTD_KEY_ENUM)
		(void)puts(conf_type_name(k->type));
	else
		for (i = 0; k->choices[i] != NULL; i++)
			(void)printf("%s%s", k->choices[i],
			    k->choices[i + 1] == NULL ? "\n" : " | ");
	print_text(k->help);
	if ((k->flags & HOSTD_KEY_REQUIRED) != 0)
		(void)puts("Required.");
	else if (k->dflt != NULL)
		(void)printf("Default:\n.Ql %s .\n",
		    *k->dflt == '\0' ? "\\&\"\"" : k->dflt);
}

int
main(int argc, char **argv)
{
	const struct hostd_key *const *k;
	const char *const *name;

	if (argc == 1) {
		print_lines("");
		for (name = conf_block_names; *name != NULL; name++)
			print_lines(*name);
		for (name = conf_inner_names; *name != NULL; name++)
			print_lines(*name);
		return 0;
	}
	k = conf_block_rows(argv[1]);
	if (k == NULL) {
		(void)fprintf(stderr, "conf_keys: no block %s\n", argv[1]);
		return 1;
	}
	for (; *k != NULL; k++)
		print_item(*k);
	return 0;
}
