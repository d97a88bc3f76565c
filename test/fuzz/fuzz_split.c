/* The two ways in which a stream is cut into documents: the pieces in which it arrives make no difference. */
#include "lib/runtime/split.h"
#include "test/fuzz/fuzz.h"

#include <kube/json.h>

#define MAX_ITEM_BYTES 64
#define MAX_REST_BYTES 256

/* What was handed over, one after the other. */
struct heard {
	struct kube_buf all;
	size_t count;
};

static int hear(void *arg, const char *text, size_t len)
{
	struct heard *heard = arg;

	REQUIRE(!text || (len > 0 && len <= MAX_ITEM_BYTES && text[len] == '\0'));
	heard->count++;
	REQUIRE(kube_buf_add(&heard->all, text ? text : "(too long)", text ? len : 10) == 0);
	REQUIRE(kube_buf_add(&heard->all, "\n", 1) == 0);
	return 0;
}

/* In pieces of the given size; returns what the last feeding returned. */
static int lines(struct heard *heard, const uint8_t *data, size_t size, size_t piece)
{
	struct line_split split = {0};
	int code = 0;

	line_split_init(&split, MAX_ITEM_BYTES);
	for (size_t at = 0; at < size && !code; at += piece)
		code = line_split_feed(&split, (const char *)data + at, at + piece < size ? piece : size - at, hear, heard);
	line_split_finish(&split);
	return code;
}

static int list(struct heard *heard, const uint8_t *data, size_t size, size_t piece)
{
	struct list_split split = {0};
	int code = 0;

	list_split_init(&split, MAX_ITEM_BYTES, MAX_REST_BYTES);
	for (size_t at = 0; at < size && !code; at += piece)
		code = list_split_feed(&split, (const char *)data + at, at + piece < size ? piece : size - at, hear, heard);
	if (!code && split.rest.data)
		REQUIRE(kube_buf_add(&heard->all, split.rest.data, split.rest.len) == 0);
	list_split_finish(&split);
	return code;
}

typedef int feed_fn(struct heard *heard, const uint8_t *data, size_t size, size_t piece);

static void compare(feed_fn *feed, const uint8_t *data, size_t size, size_t piece)
{
	struct heard whole = {.count = 0}, pieces = {.count = 0};

	kube_buf_init(&whole.all, 64 * size + 1024);
	kube_buf_init(&pieces.all, 64 * size + 1024);
	int once = feed(&whole, data, size, size ? size : 1);
	int often = feed(&pieces, data, size, piece);
	REQUIRE(once == often);
	if (!once) { /* else it ended with the bad piece, which may hold more or less behind the bad byte */
		REQUIRE(whole.count == pieces.count && whole.all.len == pieces.all.len);
		REQUIRE(whole.all.len == 0 || memcmp(whole.all.data, pieces.all.data, whole.all.len) == 0);
	}
	kube_buf_finish(&whole.all);
	kube_buf_finish(&pieces.all);
}

/* cJSON takes any control character for a blank, and reads an escaped name. */
static bool is_plain(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] == '\\' || (data[i] < ' ' && !strchr("\t\r\n", data[i])))
			return false;
	return true;
}

/* Of a valid list as many elements come out as a JSON parser finds; of what is not valid, anything may. */
static void count(const uint8_t *data, size_t size)
{
	struct heard heard = {.count = 0};
	cJSON *json = NULL;

	if (kube_json_parse((const char *)data, size, &json, NULL) != 0)
		return;
	kube_buf_init(&heard.all, 64 * size + 1024);
	const cJSON *items = kube_json_get(json, "items");
	int code = list(&heard, data, size, size);
	if (!code && fuzz_members(json, "items") == 1 && cJSON_IsArray(items) && is_plain(data, size))
		REQUIRE(heard.count == (size_t)cJSON_GetArraySize(items));
	kube_buf_finish(&heard.all);
	cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = fuzz_byte(&data, &size) % 16 + 1u;

	compare(lines, data, size, piece);
	compare(list, data, size, piece);
	count(data, size);
	return 0;
}
