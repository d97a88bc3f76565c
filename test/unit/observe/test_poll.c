/* Texts at URLs: what an answer says, when it is asked again, and what is kept. */
#include "controller/model/channel.h"
#include "controller/observe/poll.h"
#include "test/unit/check_main.h"

#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

#define URL "https://a.b/stable"
#define INTERVAL_MS 60000

struct test {
	struct kube_sim *sim;
	struct kube_client *client;
	struct fetcher fetcher;
	struct polls *polls;
	int status; /* 0: it never answers */
	const char *body;
	size_t len;
	int requests, answers;
	char url[64];
};

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct test *t = arg;

	t->requests++;
	snprintf(t->url, sizeof(t->url), "%s", request->target);
	if (!t->status)
		return;
	kube_sim_reply_head(sim, exchange, 1, t->status, -1, "text/plain");
	kube_sim_reply_data(sim, exchange, 1, t->body, t->len);
	kube_sim_reply_end(sim, exchange, 1, 0, NULL);
}

static void on_answer(void *arg, const char *url)
{
	struct test *t = arg;
	t->answers++;
	ck_assert_str_eq(url, t->url);
}

static void say(struct test *t, int status, const char *body)
{
	t->status = status;
	t->body = body;
	t->len = strlen(body);
}

static void open_test(struct test *t)
{
	ck_assert_int_eq(kube_sim_new(1, 0, &t->sim, NULL), 0);
	kube_sim_serve(t->sim, serve, t);
	ck_assert_int_eq(kube_client_new(kube_sim_env(t->sim), kube_sim_transport(t->sim), &t->client, NULL), 0);
	t->fetcher = (struct fetcher){.client = t->client, .outgoing = kube_sim_transport(t->sim), .namespace_ = "own"};
	ck_assert_int_eq(polls_new(&t->fetcher, on_answer, t, &t->polls, NULL), 0);
}

static void close_test(struct test *t)
{
	polls_free(t->polls);
	kube_sim_run(t->sim, INTERVAL_MS, 10000);
	kube_client_free(t->client);
	kube_sim_free(t->sim);
}

static const struct channel_fact *get(struct test *t)
{
	return polls_get(t->polls, &(struct poll_request){.url = URL, .interval_ms = INTERVAL_MS});
}

START_TEST(what_an_answer_says)
{
	static char most[CHANNEL_TEXT_BYTES + 1], more[CHANNEL_TEXT_BYTES + 101], huge[FETCH_MAX_BYTES + 1];
	const struct {
		int status;
		const char *body;
		size_t len;
		const char *text, *reason, *says;
	} cases[] = {
	    {200, "1.7.27\n", 7, "1.7.27\n", NULL, NULL},
	    {200, "", 0, "", NULL, NULL},
	    {200, most, CHANNEL_TEXT_BYTES, most, NULL, NULL},
	    {200, more, CHANNEL_TEXT_BYTES + 100, more + 99, NULL, NULL}, /* one more than a version may have: too large */
	    {200, "1.7.27\0; reboot", 15, NULL, "ChannelInvalid", "no text"},
	    {200, huge, sizeof(huge), NULL, "ChannelTooLarge", "larger than"},
	    {404, "1.7.27", 6, NULL, "ChannelUnreachable", "status 404"},
	    {302, "1.7.27", 6, NULL, "ChannelUnreachable", "status 302"},
	    {500, "", 0, NULL, "ChannelUnreachable", "status 500"},
	    {0, "", 0, NULL, "ChannelUnreachable", ""},
	};

	memset(most, 'x', sizeof(most) - 1);
	memset(more, 'x', sizeof(more) - 1);
	memset(huge, 'x', sizeof(huge));
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct test t = {.status = cases[i].status, .body = cases[i].body, .len = cases[i].len};
		open_test(&t);
		ck_assert(get(&t)->pending && !get(&t)->text);
		ck_assert_int_eq(t.answers, 0);
		kube_sim_run(t.sim, POLL_TIMEOUT_MS + 1000, 10000);
		const struct channel_fact *fact = get(&t);
		ck_assert_int_eq(t.requests, 1);
		ck_assert_int_eq(t.answers, 1);
		ck_assert(!fact->pending);
		ck_assert_msg(!fact->text == !cases[i].text, "case %zu: %s", i, fact->text ? fact->text : fact->message);
		if (fact->text) {
			ck_assert_uint_eq(strlen(fact->text), cases[i].text == more + 99 ? CHANNEL_TEXT_BYTES + 1 : cases[i].len);
		} else {
			ck_assert_str_eq(fact->reason, cases[i].reason);
			ck_assert_msg(strstr(fact->message, cases[i].says) && *fact->message, "case %zu: %s", i, fact->message);
		}
		close_test(&t);
	}
}
END_TEST

/* What is known stays until the next answer; nobody asks before the interval is over, or for what nobody wants. */
START_TEST(when_it_is_asked)
{
	struct test t = {0};

	open_test(&t);
	say(&t, 200, "1.7.27");
	get(&t);
	get(&t);
	kube_sim_run(t.sim, 1000, 10000);
	ck_assert_str_eq(get(&t)->text, "1.7.27");
	say(&t, 500, "");
	kube_sim_run(t.sim, INTERVAL_MS - 1, 10000);
	ck_assert_str_eq(get(&t)->text, "1.7.27");
	kube_sim_run(t.sim, 10 * INTERVAL_MS, 10000);
	ck_assert_int_eq(t.requests, 1);
	ck_assert_str_eq(get(&t)->text, "1.7.27"); /* and the next request is on its way */
	kube_sim_run(t.sim, 10 * INTERVAL_MS + 1000, 10000);
	ck_assert_int_eq(t.requests, 2);
	ck_assert_ptr_null(get(&t)->text);
	close_test(&t);
}
END_TEST

/* The same URL with another Secret may say something else. */
START_TEST(each_secret_for_itself)
{
	struct test t = {0};

	open_test(&t);
	say(&t, 200, "1.7.27");
	get(&t);
	kube_sim_run(t.sim, 1000, 10000);
	const struct poll_request other = {.url = URL, .secret = "s", .interval_ms = INTERVAL_MS};
	ck_assert(polls_get(t.polls, &other)->pending);
	ck_assert_str_eq(get(&t)->text, "1.7.27");
	close_test(&t);
}
END_TEST

START_TEST(it_is_bounded)
{
	struct test t = {0};
	char url[64];

	open_test(&t);
	say(&t, 200, "1.7.27");
	get(&t);
	kube_sim_run(t.sim, 1000, 10000);
	for (int i = 0; i < POLLS_MAX; i++) {
		snprintf(url, sizeof(url), URL "/%d", i);
		polls_get(t.polls, &(struct poll_request){.url = url, .interval_ms = INTERVAL_MS});
	}
	ck_assert(get(&t)->pending);
	close_test(&t);
}
END_TEST

CHECK_MAIN("observe/poll", what_an_answer_says, when_it_is_asked, each_secret_for_itself, it_is_bounded)
