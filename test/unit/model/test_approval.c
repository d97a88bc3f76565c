/* PatchApprovals, and who wrote a policy. */
#include "controller/model/approval.h"
#include "controller/model/policy.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <stdio.h>

START_TEST(an_approval)
{
	struct approval *a = (struct approval *)object_of(
	    &approval_projection,
	    "{'metadata':{'name':'a','creationTimestamp':'2026-11-21T12:00:00Z'},'spec':{'rolloutRef':{"
	    "'name':'r','uid':'u'},'planHash':'h','user':'ada','comment':'x'}}");
	ck_assert_str_eq(a->rollout_name, "r");
	ck_assert_str_eq(a->rollout_uid, "u");
	ck_assert_str_eq(a->plan_hash, "h");
	ck_assert_str_eq(a->user, "ada");
	ck_assert_str_eq(a->wave, "");
	kube_object_unref(&a->object);
}
END_TEST

/* ---- authors ---- */

/* What is recorded, "user@generation …" up to `seen`; what the policy shows; and what should be recorded then. */
static const struct {
	const char *title;
	int64_t seen;
	const char *seen_hash;
	struct author recorded[3];
	int64_t generation;
	const char *hash, *author;
	int64_t approved;
	const char *expected;
} cases[] = {
    {"new", 0, NULL, {{0}}, 1, "h1", "ada", 0, "ada@1"},
    {"new, by nobody", 0, NULL, {{0}}, 1, "h1", "", 0, "?@1"},
    {"older than we", 0, NULL, {{0}}, 4, "h1", "ada", 0, "?@3 ada@4"},
    {"as it was", 1, "h1", {{"ada", 1}}, 1, "h1", "ada", 0, "ada@1"},
    {"changed by another", 1, "h1", {{"ada", 1}}, 2, "h2", "bob", 0, "ada@1 bob@2"},
    {"changed again by the same", 1, "h1", {{"ada", 1}}, 2, "h2", "ada", 0, "ada@2"},
    {"changed by nobody knows whom", 1, "h1", {{"ada", 1}}, 2, "h2", "", 0, "ada@1 ?@2"},
    {"a change was not seen", 1, "h1", {{"ada", 1}}, 3, "h3", "bob", 0, "ada@1 ?@2 bob@3"},
    {"a change that was not seen, and taken back", 1, "h1", {{"ada", 1}}, 3, "h1", "bob", 0, "ada@1"},
    {"suspended by another", 1, "h1", {{"ada", 1}}, 2, "h1", "bob", 0, "ada@1"},
    {"taken over", 2, "h2", {{"ada", 1}, {"", 2}}, 2, "h2", "bob", 0, "ada@1 bob@2"},
    {"taken over by an author", 2, "h2", {{"ada", 1}, {"", 2}}, 2, "h2", "ada", 0, "ada@1 ?@2"},
    {"the annotation is taken off", 2, "h2", {{"ada", 2}}, 2, "h2", "", 0, "ada@2"},
    {"approved", 3, "h3", {{"ada", 1}, {"", 2}, {"bob", 3}}, 3, "h3", "bob", 3, ""},
    {"approved before the last change", 3, "h3", {{"ada", 1}, {"", 2}, {"bob", 3}}, 3, "h3", "bob", 2, "bob@3"},
    {"changed after it was approved", 3, "h3", {{0}}, 4, "h4", "ada", 3, "ada@4"},
};

static const char *authors_text(const struct authors *authors, char *out, size_t size)
{
	*out = '\0';
	for (size_t i = 0; i < authors->list.count; i++) {
		const struct author *a = &authors->list.items[i];
		size_t len = strlen(out);
		snprintf(out + len, size - len, "%s%s@%lld", len ? " " : "", *a->user ? a->user : "?",
		         (long long)a->generation);
	}
	return out;
}

START_TEST(who_wrote_a_policy)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct author items[MAX_AUTHORS], recorded[3];
		char text[200];
		memcpy(recorded, cases[i].recorded, sizeof(recorded));
		size_t count = 0;
		while (count < 3 && recorded[count].user)
			count++;
		struct policy policy = {
		    .object = {.generation = cases[i].generation},
		    .hash = cases[i].hash,
		    .author = cases[i].author,
		    .authors = {.generation = cases[i].seen, .policy_hash = cases[i].seen_hash, .list = {recorded, count}},
		};
		struct authors now = authors_now(&policy, cases[i].approved, items);
		ck_assert_msg(!strcmp(authors_text(&now, text, sizeof(text)), cases[i].expected), "%s: \"%s\", not \"%s\"",
		              cases[i].title, text, cases[i].expected);
		ck_assert_int_eq(now.generation, cases[i].generation);
		ck_assert_int_eq(authors_unknown(&now) != NULL, strchr(text, '?') != NULL);
	}
}
END_TEST

/* More than there is room for are not all known. */
START_TEST(too_many_authors)
{
	struct author items[MAX_AUTHORS], recorded[MAX_AUTHORS];
	char names[MAX_AUTHORS][8];
	for (int i = 0; i < MAX_AUTHORS; i++) {
		snprintf(names[i], sizeof(names[i]), "u%d", i);
		recorded[i] = (struct author){names[i], i + 1};
	}
	struct policy policy = {
	    .object = {.generation = MAX_AUTHORS + 1},
	    .hash = "h2",
	    .author = "one-more",
	    .authors = {.generation = MAX_AUTHORS, .policy_hash = "h1", .list = {recorded, MAX_AUTHORS}},
	};
	struct authors now = authors_now(&policy, 0, items);
	ck_assert_uint_eq(now.list.count, MAX_AUTHORS);
	ck_assert_ptr_nonnull(authors_unknown(&now));
	ck_assert(authors_have(&now, "u0") && !authors_have(&now, "one-more"));
}
END_TEST

START_TEST(authors_in_a_status)
{
	static const char text[] =
	    "{'metadata':{'name':'p','generation':2,'annotations':{'patchwright.io/"
	    "author':'bob'}},'spec':{'target':{'nodes':{"
	    "'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':'Kernel','version':'6','job':{'image':'i'}}],"
	    "'approval':{'mode':'Wave','required':2,'separationOfDuties':false,'expiresAfter':'1h'}},'status':{'authors':{"
	    "'generation':1,'policyHash':'h','users':[{'user':'ada','generation':1},{'generation':1}]}}}";
	struct policy *policy = (struct policy *)object_of(&policy_projection, text);
	const struct approval_rules *approval = &policy->rules.approval;
	ck_assert_str_eq(policy->author, "bob");
	ck_assert_int_eq(policy->authors.generation, 1);
	ck_assert_uint_eq(policy->authors.list.count, 2);
	ck_assert_str_eq(policy->authors.list.items[0].user, "ada");
	ck_assert_str_eq(policy->authors.list.items[1].user, "");
	ck_assert_int_eq(approval->mode, APPROVAL_WAVE);
	ck_assert_int_eq(approval->required, 2);
	ck_assert(!approval->separate_duties);
	ck_assert_int_eq(approval->expires_after_ms, 3600000);
	ck_assert_ptr_nonnull(strstr(policy->rules_json, "\"approval\""));
	kube_object_unref(&policy->object);
}
END_TEST

CHECK_MAIN("model/approval", an_approval, who_wrote_a_policy, too_many_authors, authors_in_a_status)
