/* SPDX-License-Identifier: BSD-2-Clause */
/* hostd.tls/1: requests without TLS, with it, and of clients that have shown a
 * certificate, good or not. */
#include <stddef.h>
#include <string.h>

#include "ctl/fake.h"
#include "ctl/fake_request.h"

static hostd_buf
lent(const char *s)
{
	return fake_lend_text(s);
}

static void
tls_fill_client(struct hostd_tls *out, int is_good)
{
	out->flags |= HOSTD_TLS_CLIENT | (is_good ? HOSTD_TLS_VERIFIED : 0);
	out->verify = lent(is_good ? "SUCCESS"
				   : "FAILED:self-signed certificate");
	out->subject = lent("CN=somebody,O=Some\\, body");
	out->issuer = lent("CN=Some authority");
	out->serial = lent("6F9A");
	out->fingerprint = lent("e3b0c44298fc1c149afbf4c8996fb924"
				"27ae41e4649b934ca495991b7852b855");
}

static int32_t
tls_get(const struct hostd_host *host, hostd_req id, struct hostd_tls *out)
{
	struct fake *f = fake_called(host, "get of " HOSTD_EXT_TLS);
	struct hostd_tls full = {0};

	if (out == NULL ||
	    out->struct_size < offsetof(struct hostd_tls, subject)) {
		check_fail("called get of " HOSTD_EXT_TLS " with %s",
		    out == NULL ? "no place for the answer"
				: "a struct_size that is too small");
		return HOSTD_E_INVAL;
	}
	if (fake_req_find(f, id, "get of " HOSTD_EXT_TLS) == NULL)
		return HOSTD_E_GONE;
	if (id.id % 4 == 0)
		return HOSTD_E_NOTSUP;
	full.struct_size = out->struct_size;
	full.protocol = lent("TLSv1.3");
	full.cipher = lent("TLS_AES_128_GCM_SHA256");
	full.verify = lent("NONE");
	if (id.id % 4 == 1)
		full.server_name = lent("example.org");
	else
		tls_fill_client(&full, id.id % 4 == 2);
	memcpy(out, &full, out->struct_size < sizeof(full) ? out->struct_size
							   : sizeof(full));
	return HOSTD_OK;
}

const struct hostd_tls_api fake_tls_api = {
    .struct_size = sizeof(struct hostd_tls_api),
    .get = tls_get,
};
