/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of subjects: whose they are, and which could be two people's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auth/dn.h"
#include "base/buf.h"

static void
names(void **state)
{
	static const struct {
		const char *dn, *cn;	/* NULL: there is none to be believed */
	} cases[] = {
		{ "CN=anna", "anna" },
		{ "CN=anna,O=Works,C=DE", "anna" },
		{ "O=Works,CN=anna", "anna" },
		{ "OU=x+CN=anna,O=Works", "anna" },
		{ "emailAddress=a@b.test,cn=Anna B", "Anna B" },
		{ "CN=a\\,b\\+c\\=\\\\", "a,b+c=\\" },
		{ "CN=M\\C3\\BCller", "M\xc3\xbcller" },
		/* What another attribute says is nobody's name. */
		{ "O=x\\,CN=root", NULL },
		{ "O=x\\2CCN=root,CN=anna", "anna" },
		{ "XCN=root", NULL },
		{ "O=CN=root", NULL },
		{ "CN=anna,CN=root", NULL },
		{ "CN=anna+CN=root", NULL },
		{ "CN=", NULL },
		{ "", NULL },
		{ "CN", NULL },
		{ "CN=#0403616263", NULL },
		{ "CN=anna\\00.root", NULL },
		{ "CN=anna\\0A", NULL },
		{ "CN=anna\\", NULL },
		{ "CN=anna\\a", NULL },
		{ "O=\\", NULL },
	};
	struct buf b = { NULL, 0, 0 };
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b.len = 0;
		buf_puts(&b, "was");
		rc = dn_find(cases[i].dn, "CN", &b);
		if (rc != (cases[i].cn != NULL ? 0 : -1) || b.len != 3 +
		    (rc == 0 ? strlen(cases[i].cn) : 0) ||
		    (rc == 0 && memcmp(b.p + 3, cases[i].cn, b.len - 3) != 0))
			fail_msg("%s: %d, %.*s", cases[i].dn, rc, (int)b.len,
			    b.p);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names) };

	return cmocka_run_group_tests_name("dn", tests, NULL, NULL);
}
