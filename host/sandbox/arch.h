/* SPDX-License-Identifier: BSD-2-Clause */
/* A trapped system call in the registers. */
#ifndef SANDBOX_ARCH_H
#define SANDBOX_ARCH_H

#include <stdint.h>
#include <ucontext.h>

#if defined(__x86_64__)
static inline void
arch_args(const ucontext_t *uc, uint64_t args[6])
{
	static const int regs[6] = { REG_RDI, REG_RSI, REG_RDX, REG_R10,
		REG_R8, REG_R9 };
	int i;

	for (i = 0; i < 6; i++)
		args[i] = (uint64_t)uc->uc_mcontext.gregs[regs[i]];
}

static inline void
arch_result(ucontext_t *uc, long rc)
{
	uc->uc_mcontext.gregs[REG_RAX] = rc;
}
#elif defined(__aarch64__)
static inline void
arch_args(const ucontext_t *uc, uint64_t args[6])
{
	int i;

	for (i = 0; i < 6; i++)
		args[i] = uc->uc_mcontext.regs[i];
}

static inline void
arch_result(ucontext_t *uc, long rc)
{
	uc->uc_mcontext.regs[0] = (uint64_t)rc;
}
#else
#error "which registers have a system call's arguments is not known here"
#endif

#endif
