/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox/caps.h"

#define BIT(cap) (1ull << (cap))

/*
 * Ports below 1024; workers' user, group, root directory and what is left of
 * their rights; ending them; whatever belongs to that user, or is not readable
 * for others; nice and affinity; their limits.
 */
#define MASTERS (BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) |		\
	BIT(CAP_SETGID) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SETPCAP) |	\
	BIT(CAP_KILL) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER) |		\
	BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE))

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int
caps_get(struct caps *c)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) == -1)
		return -1;
	c->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	c->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	c->inheritable = data[0].inheritable |
	    (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int
caps_set(const struct caps *c)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)c->effective, (uint32_t)c->permitted,
		    (uint32_t)c->inheritable },
		{ (uint32_t)(c->effective >> 32),
		    (uint32_t)(c->permitted >> 32),
		    (uint32_t)(c->inheritable >> 32) } };

	return (int)syscall(SYS_capset, &head, data);
}

/* Also of what is executed later, as root. */
static int
bound_to(uint64_t keep)
{
	int cap;

	for (cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
	    cap++)
		if ((keep & BIT(cap)) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	return 0;
}

static int
caps_keep(uint64_t keep)
{
	struct caps c;

	if (caps_get(&c) == -1)
		return -1;
	if ((c.effective & BIT(CAP_SETPCAP)) != 0 && bound_to(keep) == -1)
		return -1;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	c.effective &= keep;
	c.permitted &= keep;
	c.inheritable = 0;
	return caps_set(&c);
}

int
caps_keep_master(void)
{
	return geteuid() == 0 ? caps_keep(MASTERS) : 0;
}

int
caps_bound_none(void)
{
	return geteuid() == 0 ? bound_to(0) : 0;
}

int
caps_drop_all(void)
{
	return caps_keep(0);
}
