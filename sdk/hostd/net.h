/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostd.net/1: a TCP, TLS or unix connection from a plugin to a server.  Names
 * are resolved without blocking; all addresses are tried (RFC 8305).
 */
#ifndef HOSTD_NET_H
#define HOSTD_NET_H

#include <hostd/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTD_EXT_NET "hostd.net/1"

typedef struct {
	uint64_t id;
} hostd_conn;

/* Flags of hostd_connect. */
#define HOSTD_NET_TLS		0x1u	/* TLS 1.2 or newer; the certificate and
					   name are checked.  Older hosts answer
					   E_NOTSUP */
#define HOSTD_NET_TLS_UNCHECKED	0x2u	/* the same, but nothing is checked */
#define HOSTD_NET_DELAY		0x4u	/* leave Nagle's algorithm on */

/* Where to.  All texts are copied. */
struct hostd_connect {
	uint32_t struct_size;
	uint32_t flags;		/* HOSTD_NET_* */
	const char *host;	/* name or address; "/path" for a unix socket */
	const char *tls_name;	/* NULL: host */
	const char *tls_ca;	/* file of trusted certificates; NULL: the
				   system's */
	const char *tls_cert;	/* our certificate and key file, or NULL */
	uint32_t port;		/* 1-65535; not for unix sockets */
	uint32_t timeout_ms;	/* to connected, TLS included; 0: 5000 */
	uint32_t high_water;	/* bytes of pending output; 0: 262144 */
	uint32_t reserved;
};

/* A connection's callbacks, [instance] or static.  All [loop]. */
struct hostd_net_ops {
	uint32_t struct_size;
	uint32_t reserved;

	/* Connected. */
	void (*on_connect)(struct hostd_inst *, hostd_conn, void *arg);
	/* Bytes came; n 0: the server will send no more. */
	void (*on_data)(struct hostd_inst *, hostd_conn, void *arg,
	    hostd_buf data);
	/* Optional.  Room again after send returned AGAIN or E_FULL. */
	void (*on_writable)(struct hostd_inst *, hostd_conn, void *arg);
	/*
	 * Exactly once, also when it never connected.  The handle is stale when
	 * it returns.  status: OK (closed by us or in order), E_TIMEOUT, E_IO;
	 * text says more.
	 */
	void (*on_close)(struct hostd_inst *, hostd_conn, void *arg,
	    int32_t status, hostd_buf text);
};

/*
 * The host's table.  All [loop].  Every function answers E_GONE for a stale
 * handle or another instance's, E_THREAD off the loop.
 */
struct hostd_net_api {
	uint32_t struct_size;
	uint32_t reserved;

	/* Errors: E_INVAL, E_NOTSUP (TLS), E_FULL (1024 connections of an
	 * instance), E_STATE (it is ending). */
	int32_t (*connect)(const struct hostd_host *,
	    const struct hostd_connect *, const struct hostd_net_ops *,
	    void *arg, hostd_conn *out);
	/* OK, AGAIN, E_FULL as in hostd.http/1; E_STATE before on_connect or
	 * after shutdown.  Bytes are copied. */
	int32_t (*send)(const struct hostd_host *, hostd_conn, hostd_buf);
	/* on 1: stop reading; 0: go on. */
	int32_t (*pause)(const struct hostd_host *, hostd_conn, int32_t on);
	/* Send what is pending, then no more; reading goes on. */
	int32_t (*shutdown)(const struct hostd_host *, hostd_conn);
	/* Cut it at once.  on_close follows. */
	int32_t (*close)(const struct hostd_host *, hostd_conn);
};

#ifdef __cplusplus
}
#endif
#endif /* HOSTD_NET_H */
