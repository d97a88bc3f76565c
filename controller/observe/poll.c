#include "controller/observe/poll.h"
#include "controller/model/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	struct polls *polls;
	char *key, *url;     /* key: URL and name of the Secret */
	struct fetch *fetch; /* in flight; NULL: none */
	int64_t asked_ms;    /* mono; when it was last */
	char text[CHANNEL_TEXT_BYTES + 2], message[sizeof(((struct kube_err *)0)->message)];
	struct channel_fact fact;
	UT_hash_handle hh;
};

struct polls {
	const struct fetcher *fetcher;
	void (*on_answer)(void *arg, const char *url);
	void *arg;
	struct entry *entries; /* uthash keeps the order of insertion: the first is the oldest */
};

static const struct channel_fact pending = {
    .reason = "ChannelPending", .message = "its server has not answered yet", .pending = true};
static const struct channel_fact no_memory = {.reason = "ChannelUnreachable", .message = "out of memory to ask it"};

int polls_new(const struct fetcher *fetcher, void (*on_answer)(void *arg, const char *url), void *arg,
              struct polls **ret_polls, struct kube_err *err)
{
	struct polls *polls = calloc(1, sizeof(*polls));
	if (!polls)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for what channels say");
	*polls = (struct polls){.fetcher = fetcher, .on_answer = on_answer, .arg = arg};
	*ret_polls = polls;
	return 0;
}

static void free_entry(struct entry *entry)
{
	fetch_cancel(entry->fetch);
	free(entry->key);
	free(entry->url);
	free(entry);
}

static void remove_entry(struct polls *polls, struct entry *entry)
{
	HASH_DEL(polls->entries, entry);
	free_entry(entry);
}

void polls_free(struct polls *polls)
{
	if (!polls)
		return;
	while (polls->entries)
		remove_entry(polls, polls->entries);
	free(polls);
}

/* ---- what an answer says ---- */

static void broken(struct entry *entry, const char *reason, const char *message)
{
	snprintf(entry->message, sizeof(entry->message), "%s", message);
	entry->fact = (struct channel_fact){.reason = reason, .message = entry->message};
}

static void take_text(struct entry *entry, const struct fetch_answer *answer)
{
	size_t len = answer->len <= CHANNEL_TEXT_BYTES ? answer->len : CHANNEL_TEXT_BYTES + 1;

	if (memchr(answer->body, '\0', len)) {
		broken(entry, "ChannelInvalid", "what it says is no text");
		return;
	}
	memcpy(entry->text, answer->body, len);
	entry->text[len] = '\0';
	entry->fact = (struct channel_fact){.text = entry->text};
}

static void on_fetched(void *arg, const struct fetch_answer *answer, const struct kube_err *err)
{
	struct entry *entry = arg;
	char text[64];

	entry->fetch = NULL;
	if (err) {
		broken(entry, err->code == KUBE_E_LIMIT ? "ChannelTooLarge" : "ChannelUnreachable", err->message);
	} else if (answer->status != 200) {
		snprintf(text, sizeof(text), "its server answers with status %d, not with 200", answer->status);
		broken(entry, "ChannelUnreachable", text);
	} else {
		take_text(entry, answer);
	}
	entry->polls->on_answer(entry->polls->arg, entry->url);
}

/* ---- asking ---- */

static struct entry *add_entry(struct polls *polls, const char *key, const char *url)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->polls = polls;
	entry->fact = pending;
	entry->key = strdup(key);
	entry->url = strdup(url);
	if (entry->key && entry->url) {
		if (HASH_COUNT(polls->entries) >= POLLS_MAX)
			remove_entry(polls, polls->entries);
		HASH_ADD_KEYPTR(hh, polls->entries, entry->key, strlen(entry->key), entry);
		if (entry->hh.tbl)
			return entry;
	}
	free_entry(entry);
	return NULL;
}

static void ask(struct entry *entry, const struct poll_request *request, int64_t now_ms)
{
	const struct fetch_request fetch = {
	    .url = entry->url, .secret = request->secret, .use = "channel", .timeout_ms = POLL_TIMEOUT_MS};

	entry->asked_ms = now_ms;
	if (fetch_start(entry->polls->fetcher, &fetch, on_fetched, entry, &entry->fetch, NULL) != 0)
		entry->fact = no_memory;
}

static char *key_of(const struct poll_request *request)
{
	char *key = NULL;
	return asprintf(&key, "%s\n%s", request->url, request->secret ? request->secret : "") < 0 ? NULL : key;
}

const struct channel_fact *polls_get(struct polls *polls, const struct poll_request *request)
{
	int64_t now_ms = kube_env_mono_ms(kube_client_env(polls->fetcher->client));
	_cleanup_free_ char *key = key_of(request);
	struct entry *entry;

	if (!key)
		return &no_memory;
	HASH_FIND_STR(polls->entries, key, entry);
	bool known = entry != NULL;
	if (!known)
		entry = add_entry(polls, key, request->url);
	if (!entry)
		return &no_memory;
	if (!known || (!entry->fetch && now_ms - entry->asked_ms >= request->interval_ms))
		ask(entry, request, now_ms);
	return &entry->fact;
}
