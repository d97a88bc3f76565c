/* Protobuf as an API server may send it: objects, and the streams that they come in. The first byte says which. */
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "lib/runtime/split_proto.h"
#include "lib/runtime/wire.h"
#include "test/fuzz/fuzz.h"

#include <kube/client.h>

#define MAX_ITEM_BYTES 64
#define MAX_META_BYTES 64

static const struct kube_projection *const projections[] = {&node_projection, &pod_projection, &pdb_projection};

static void object(const struct kube_projection *projection, struct kube_proto bytes)
{
	struct kube_object *made = NULL, *again = NULL;
	struct kube_err err = {0};

	int code = kube_object_decode_proto(projection, bytes, &made, &err);
	REQUIRE(code == err.code && !made == (code != 0));
	if (!made)
		return;
	REQUIRE(kube_object_decode_proto(projection, bytes, &again, NULL) == 0);
	REQUIRE(projection->same(made, again));
	kube_object_unref(made);
	kube_object_unref(again);
}

static void event(const uint8_t *data, size_t size)
{
	struct wire_open open = {.parsed = NULL};
	struct kube_err err = {0};

	if (wire_open_event(FORM_PROTO, (const char *)data, size, &open, &err) == 0) {
		REQUIRE(memchr(open.event, 0, sizeof(open.event)));
		kube_err_from_status_proto(&err, 0, -1, open.document.proto);
		REQUIRE(err.code == KUBE_E_API && *err.message);
	}
	wire_close(&open);
}

/* What was handed over, one after the other. */
struct heard {
	struct kube_buf all;
	size_t count;
};

static int hear(void *arg, const char *bytes, size_t len)
{
	struct heard *heard = arg;

	REQUIRE(len <= MAX_ITEM_BYTES);
	heard->count++;
	REQUIRE(kube_buf_add(&heard->all, bytes ? bytes : "(too long)", bytes ? len : 10) == 0);
	REQUIRE(kube_buf_add(&heard->all, "\n", 1) == 0);
	return 0;
}

/* In pieces of the given size; returns what the last feeding returned. */
static int frames(struct heard *heard, const uint8_t *data, size_t size, size_t piece)
{
	struct frame_split split = {.left = 0};
	int code = 0;

	frame_split_init(&split, MAX_ITEM_BYTES);
	for (size_t at = 0; at < size && !code; at += piece)
		code = frame_split_feed(&split, (const char *)data + at, at + piece < size ? piece : size - at, hear, heard);
	frame_split_finish(&split);
	return code;
}

static int list(struct heard *heard, const uint8_t *data, size_t size, size_t piece)
{
	struct message_split split = {.left = 0};
	int code = 0;

	message_split_init(&split, MAX_ITEM_BYTES, MAX_META_BYTES);
	for (size_t at = 0; at < size && !code; at += piece)
		code = message_split_feed(&split, (const char *)data + at, at + piece < size ? piece : size - at, hear, heard);
	if (!code) {
		const char *end = message_split_complete(&split) ? "complete" : "cut";
		REQUIRE(kube_buf_add(&heard->all, end, strlen(end)) == 0);
		REQUIRE(split.meta.len <= MAX_META_BYTES);
	}
	message_split_finish(&split);
	return code;
}

typedef int feed_fn(struct heard *heard, const uint8_t *data, size_t size, size_t piece);

/* The pieces make no difference: errors come at the same byte, and what was handed over before is the same. */
static void compare(feed_fn *feed, const uint8_t *data, size_t size, size_t piece)
{
	struct heard whole = {.count = 0}, pieces = {.count = 0};

	kube_buf_init(&whole.all, 64 * size + 1024);
	kube_buf_init(&pieces.all, 64 * size + 1024);
	int once = feed(&whole, data, size, size ? size : 1);
	int often = feed(&pieces, data, size, piece);
	REQUIRE(once == often && whole.count == pieces.count && whole.all.len == pieces.all.len);
	REQUIRE(whole.all.len == 0 || memcmp(whole.all.data, pieces.all.data, whole.all.len) == 0);
	kube_buf_finish(&whole.all);
	kube_buf_finish(&pieces.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t kind = fuzz_byte(&data, &size) % (KUBE_ARRAY_LEN(projections) + 3);

	if (kind < KUBE_ARRAY_LEN(projections))
		object(projections[kind], kube_proto_of(data, size));
	else if (kind == KUBE_ARRAY_LEN(projections))
		event(data, size);
	else
		compare(kind == KUBE_ARRAY_LEN(projections) + 1 ? frames : list, data, size, 1 + size % 16);
	return 0;
}
