/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be learnt from a shared object without running it.  The whole file
 * is read into memory and every offset in it is checked.
 */
#ifndef PLUGIN_ELF_H
#define PLUGIN_ELF_H

#include <stddef.h>
#include <elf.h>
#include <link.h>

struct elf {
	char *data;
	size_t size;
	const ElfW(Phdr) *phdrs;
	size_t nphdrs;
	const ElfW(Sym) *syms;	/* .dynsym; NULL: no section headers */
	size_t nsyms;
	const char *strs;	/* its names */
	size_t strs_size;
	const ElfW(Dyn) *dyns;
	size_t ndyns;
};

/* 0, or -1 and the reason in why (without the path): no such file, not a
 * shared object, of another machine, cut short. */
int	elf_open(struct elf *, const char *path, char *why, size_t size);
void	elf_close(struct elf *);

/* Name of symbol i, counted from 0, when it is exported, else NULL. */
const char *elf_export(const struct elf *, size_t i);
/* Symbol by name when it is exported, else NULL. */
const ElfW(Sym) *elf_find(const struct elf *, const char *name);
/* The n bytes in the file that memory at addr is filled from, or NULL. */
const void *elf_bytes(const struct elf *, ElfW(Addr) addr, size_t n);
/* Library i that it asks for, counted from 0; NULL past the end. */
const char *elf_needed(const struct elf *, size_t i);

#endif
