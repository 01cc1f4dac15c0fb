/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "plugin/elf.h"

#define ELF_MAX_SIZE ((off_t)1 << 30)

#if defined(__x86_64__)
#define ELF_MACHINE EM_X86_64
#elif defined(__i386__)
#define ELF_MACHINE EM_386
#elif defined(__aarch64__)
#define ELF_MACHINE EM_AARCH64
#elif defined(__arm__)
#define ELF_MACHINE EM_ARM
#elif defined(__riscv)
#define ELF_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define ELF_MACHINE EM_PPC64
#elif defined(__s390x__)
#define ELF_MACHINE EM_S390
#else
#define ELF_MACHINE EM_NONE /* not compared; dlopen will tell */
#endif

#if UINTPTR_MAX == UINT64_MAX
#define ELF_CLASS ELFCLASS64
#else
#define ELF_CLASS ELFCLASS32
#endif

/* n items of size bytes at offset off, or NULL when they are not there. */
static const void *
elf_at(const struct elf *e, uint64_t off, uint64_t n, size_t size)
{
	if (off > e->size || n > (e->size - off) / size ||
	    (size > 1 && off % sizeof(ElfW(Addr)) != 0))
		return NULL;
	return e->data + off;
}

static int
elf_read(struct elf *e, const char *path, char *why, size_t size)
{
	struct stat st;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		goto err;
	if (fstat(fd, &st) == -1)
		goto err;
	if (!S_ISREG(st.st_mode) || st.st_size > ELF_MAX_SIZE) {
		(void)snprintf(why, size, "not a shared object");
		(void)close(fd);
		return -1;
	}
	e->data = xmalloc((size_t)st.st_size + 1);
	while (e->size < (size_t)st.st_size) {
		n = read(fd, e->data + e->size, (size_t)st.st_size - e->size);
		if (n == -1)
			goto err;
		if (n == 0)
			break;
		e->size += (size_t)n;
	}
	(void)close(fd);
	return 0;
err:
	(void)snprintf(why, size, "%s", strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return -1;
}

/* Sections are optional in a shared object; only .dynsym is of interest. */
static void
elf_find_symbols(struct elf *e, const ElfW(Ehdr) * eh)
{
	const ElfW(Shdr) * sh, *str;
	size_t i;

	if (eh->e_shentsize != sizeof(*sh) ||
	    (sh = elf_at(e, eh->e_shoff, eh->e_shnum, sizeof(*sh))) == NULL)
		return;
	for (i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_DYNSYM || sh[i].sh_link >= eh->e_shnum)
			continue;
		str = &sh[sh[i].sh_link];
		e->nsyms = sh[i].sh_size / sizeof(*e->syms);
		e->syms =
		    elf_at(e, sh[i].sh_offset, e->nsyms, sizeof(*e->syms));
		e->strs_size = str->sh_size;
		e->strs = elf_at(e, str->sh_offset, str->sh_size, 1);
		if (e->syms == NULL || e->strs == NULL)
			e->syms = NULL;
		return;
	}
}

static int
elf_parse(struct elf *e, char *why, size_t size)
{
	const ElfW(Ehdr) * eh;
	size_t i;

	if ((eh = elf_at(e, 0, 1, sizeof(*eh))) == NULL ||
	    memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_type != ET_DYN) {
		(void)snprintf(why, size, "not a shared object");
		return -1;
	}
	if (eh->e_ident[EI_CLASS] != ELF_CLASS ||
	    (ELF_MACHINE != EM_NONE && eh->e_machine != ELF_MACHINE)) {
		(void)snprintf(why, size, "built for another machine");
		return -1;
	}
	e->nphdrs = eh->e_phnum;
	e->phdrs = elf_at(e, eh->e_phoff, e->nphdrs, sizeof(*e->phdrs));
	if (e->phdrs == NULL || eh->e_phentsize != sizeof(*e->phdrs))
		goto cut;
	for (i = 0; i < e->nphdrs; i++) {
		const ElfW(Phdr) *ph = &e->phdrs[i];

		if (ph->p_type != PT_LOAD && ph->p_type != PT_DYNAMIC)
			continue;
		/* Mapping what is not there ends in SIGBUS. */
		if (ph->p_offset > e->size ||
		    ph->p_filesz > e->size - ph->p_offset)
			goto cut;
		if (ph->p_type == PT_DYNAMIC) {
			e->ndyns = ph->p_filesz / sizeof(*e->dyns);
			e->dyns =
			    elf_at(e, ph->p_offset, e->ndyns, sizeof(*e->dyns));
		}
	}
	elf_find_symbols(e, eh);
	return 0;
cut:
	(void)snprintf(why, size, "the file is cut short (%zu bytes)", e->size);
	return -1;
}

int
elf_open(struct elf *e, const char *path, char *why, size_t size)
{
	memset(e, 0, sizeof(*e));
	if (elf_read(e, path, why, size) == -1 ||
	    elf_parse(e, why, size) == -1) {
		elf_close(e);
		return -1;
	}
	return 0;
}

void
elf_close(struct elf *e)
{
	free(e->data);
	memset(e, 0, sizeof(*e));
}

const char *
elf_export(const struct elf *e, size_t i)
{
	const ElfW(Sym) * s;
	unsigned bind, visibility;

	if (e->syms == NULL || i >= e->nsyms)
		return NULL;
	s = &e->syms[i];
	bind = ELF64_ST_BIND(s->st_info);
	visibility = ELF64_ST_VISIBILITY(s->st_other);
	if (s->st_shndx == SHN_UNDEF || s->st_name >= e->strs_size ||
	    (bind != STB_GLOBAL && bind != STB_WEAK &&
		bind != STB_GNU_UNIQUE) ||
	    (visibility != STV_DEFAULT && visibility != STV_PROTECTED) ||
	    memchr(e->strs + s->st_name, '\0', e->strs_size - s->st_name) ==
		NULL)
		return NULL;
	return e->strs + s->st_name;
}

const ElfW(Sym) * elf_find(const struct elf *e, const char *name)
{
	const char *s;
	size_t i;

	for (i = 0; e->syms != NULL && i < e->nsyms; i++)
		if ((s = elf_export(e, i)) != NULL && strcmp(s, name) == 0)
			return &e->syms[i];
	return NULL;
}

const void *
elf_bytes(const struct elf *e, ElfW(Addr) addr, size_t n)
{
	const ElfW(Phdr) * ph;
	size_t i;

	for (i = 0; i < e->nphdrs; i++) {
		ph = &e->phdrs[i];
		if (ph->p_type == PT_LOAD && addr >= ph->p_vaddr &&
		    addr - ph->p_vaddr < ph->p_filesz &&
		    n <= ph->p_filesz - (addr - ph->p_vaddr))
			return e->data + ph->p_offset + (addr - ph->p_vaddr);
	}
	return NULL;
}

/* Value of the first dynamic entry with that tag; 0 when there is none. */
static uint64_t
elf_dyn(const struct elf *e, ElfW(Sxword) tag)
{
	size_t i;

	for (i = 0; e->dyns != NULL && i < e->ndyns; i++)
		if (e->dyns[i].d_tag == tag)
			return e->dyns[i].d_un.d_val;
	return 0;
}

const char *
elf_needed(const struct elf *e, size_t nth)
{
	const char *strs;
	size_t i, size, off;

	size = elf_dyn(e, DT_STRSZ);
	strs = elf_bytes(e, elf_dyn(e, DT_STRTAB), size);
	if (strs == NULL || size == 0)
		return NULL;
	for (i = 0; i < e->ndyns && e->dyns[i].d_tag != DT_NULL; i++) {
		if (e->dyns[i].d_tag != DT_NEEDED || nth-- > 0)
			continue;
		off = e->dyns[i].d_un.d_val;
		if (off >= size || memchr(strs + off, '\0', size - off) == NULL)
			return NULL;
		return strs + off;
	}
	return NULL;
}
