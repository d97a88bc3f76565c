/*
 * What the fuzz targets share. A target is a libFuzzer one: it gets bytes, and must neither crash, leak nor break what
 * it REQUIREs. The same function runs on the committed corpus in `make test`, with replay.c in libFuzzer's place.
 */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A NUL-terminated copy of exactly that size, so that a byte read too far is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	REQUIRE(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Takes the bytes up to the separator off the front, as a text; the rest when there is none. */
static inline char *fuzz_cut(const uint8_t **data, size_t *size, char separator)
{
	const uint8_t *end = *size ? memchr(*data, separator, *size) : NULL;
	size_t len = end ? (size_t)(end - *data) : *size;
	char *text = fuzz_text(*data, len);

	len += end ? 1 : 0;
	*data += len;
	*size -= len;
	return text;
}

/* Takes one byte off the front; 0 when there is none. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	--*size;
	return *(*data)++;
}

/* How many members of that name an object has: with two of them, functions may mean different ones. */
static inline size_t fuzz_members(const cJSON *object, const char *name)
{
	size_t count = 0;

	for (const cJSON *child = cJSON_IsObject(object) ? object->child : NULL; child; child = child->next)
		count += strcmp(child->string, name) == 0;
	return count;
}

#endif
