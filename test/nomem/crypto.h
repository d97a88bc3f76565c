/*
 * OpenSSL asks for memory thousands of times to read one key, and is slow at it: of its own allocations only one in
 * CRYPTO_STRIDE fails.
 */
#ifndef TEST_NOMEM_CRYPTO_H
#define TEST_NOMEM_CRYPTO_H

#include "test/nomem/alloc.h"
#include <check.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define CRYPTO_STRIDE 61

static unsigned crypto_count; /* reset at the beginning of each round, so that all rounds are alike */

static inline void *crypto_realloc(void *block, size_t size, const char *file, int line)
{
	bool spared = ++crypto_count % CRYPTO_STRIDE != 0;

	(void)file;
	(void)line;
	if (spared)
		alloc_pause();
	void *moved = realloc(block, size);
	if (spared)
		alloc_resume();
	return moved;
}

static inline void *crypto_malloc(size_t size, const char *file, int line)
{
	return crypto_realloc(NULL, size, file, line);
}

static inline void crypto_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

__attribute__((constructor)) static void crypto_begin(void)
{
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		abort();
}

#endif
