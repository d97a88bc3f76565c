/*
 * Channels: which version a patch wants when another one says it. What is decided here goes into status.resolved; the
 * rules take it from there (model/channel.c), so that no version is used that was not written before.
 */
#include "controller/model/channel.h"
#include "controller/model/version.h"
#include "controller/plan/internal.h"
#include <string.h>

#define SECOND_MS 1000

struct channel_pass {
	const struct policy_snapshot *s;
	struct kube_arena *arena;
	const struct patch *patch;
	const struct channel_fact *fact;
	struct channel_report *report;
};

/* Of several channels the one that needs somebody is told first, then the one that waits. */
static void tell(struct channel_pass *pass, enum channel_state state, const char *reason, const char *message)
{
	struct channel_report *report = pass->report;

	if (report->reason && state <= report->state)
		return;
	report->state = state;
	report->reason = reason;
	report->message = plan_printf(pass->arena, "%s: %s", pass->patch->channel->source, message);
}

static void look_again(struct channel_pass *pass, int64_t at_ms)
{
	pass->report->look_again_ms = earlier_ms(pass->report->look_again_ms, at_ms);
}

/* The version within the blanks, which a file or an editor puts there; NULL: it is none, and that is told. What is no
 * version is not repeated anywhere: it may be anything. */
static const char *version_of_text(struct channel_pass *pass)
{
	static const char blanks[] = " \t\r\n";
	const char *text = pass->fact->text;

	if (!text) {
		tell(pass, pass->fact->pending ? CHANNEL_PENDING : CHANNEL_BROKEN, pass->fact->reason, pass->fact->message);
		return NULL;
	}
	size_t whole = strlen(text);
	text += strspn(text, blanks);
	size_t len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]))
		len--;
	const char *version = plan_printf(pass->arena, "%.*s", (int)len, text);
	if (whole > CHANNEL_TEXT_BYTES)
		tell(pass, CHANNEL_BROKEN, "ChannelTooLarge",
		     "it holds more than a version: put the version there, nothing else");
	else if (len == 0)
		tell(pass, CHANNEL_BROKEN, "ChannelEmpty", "it is empty: put the version there, for example 1.7.27");
	else if (!channel_version_ok(pass->patch, version))
		tell(pass, CHANNEL_BROKEN, "ChannelInvalid",
		     "what it says is no version that can be compared with what nodes show: put one there, for example 1.7.27");
	else
		return version;
	return NULL;
}

static bool older(const char *a, const char *b)
{
	int order = 0;
	return version_compare(a, b, &order, NULL) == 0 && order < 0;
}

static bool is(const struct seen_version *seen, const char *version)
{
	return seen->version && strcmp(seen->version, version) == 0;
}

/* A version that was seen before keeps its age; the status has whole seconds only, and no version is used too early. */
static struct seen_version seen_since(const struct resolved *resolved, const char *version, int64_t now_ms)
{
	if (is(&resolved->candidate, version))
		return resolved->candidate;
	if (is(&resolved->previous, version))
		return resolved->previous;
	return (struct seen_version){version, (now_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS};
}

static bool old_enough(struct channel_pass *pass, const struct seen_version *seen)
{
	int64_t age_ms = pass->patch->minimum_age_ms, at_ms = seen->first_seen_ms + age_ms;
	char at[KUBE_TIME_TEXT_SIZE];

	if (age_ms == 0 || pass->s->now_ms >= at_ms)
		return true;
	tell(pass, CHANNEL_WAITING, "MinimumAge",
	     plan_printf(pass->arena, "%s is used from %s on, when it has been there for minimumAge", seen->version,
	                 kube_time_format(at_ms, at)));
	look_again(pass, at_ms);
	return false;
}

/* The versions as they are from now on. A version that the channel leaves before it was old enough is forgotten. */
static void move(struct channel_pass *pass, struct resolved *resolved, const char *version)
{
	struct seen_version seen = {0};

	if (!is(&resolved->now, version)) {
		seen = seen_since(resolved, version, pass->s->now_ms);
		if (old_enough(pass, &seen)) {
			resolved->previous = resolved->now;
			resolved->now = seen;
			seen.version = NULL;
		}
	}
	resolved->candidate = seen;
}

static void tell_resolved(struct channel_pass *pass, const struct resolved *resolved)
{
	const char *component = component_names[pass->patch->component], *now = resolved->now.version;

	if (!now)
		return;
	if (resolved->previous.version && older(now, resolved->previous.version))
		tell(pass, CHANNEL_BACK, "ChannelWentBack",
		     plan_printf(pass->arena,
		                 "it went back from %s to %s. No node is taken back for that: write version %s with "
		                 "allowDowngrade in place of the channel to do so",
		                 resolved->previous.version, now, now));
	else
		tell(pass, CHANNEL_FINE, "Resolved", plan_printf(pass->arena, "it says %s for %s", now, component));
}

static struct resolved resolve(struct channel_pass *pass)
{
	const struct resolved *before = channel_resolved(pass->s->policy, pass->patch);
	const struct channel *channel = pass->patch->channel;
	struct resolved resolved = {.component = component_names[pass->patch->component], .channel = channel->source};
	if (before)
		resolved = *before;
	if (channel->type == CHANNEL_URL)
		look_again(pass, pass->s->now_ms + channel->interval_ms);
	const char *version = version_of_text(pass);
	if (version)
		move(pass, &resolved, version);
	tell_resolved(pass, &resolved);
	return resolved;
}

static const char *first_version(const struct rules *rules, const struct policy_wanted *want)
{
	if (rules->patches.count == 0)
		return NULL;
	return rules->patches.items[0].channel ? want->resolved.items[0].now.version : rules->patches.items[0].version;
}

void plan_channels(const struct policy_snapshot *s, struct kube_arena *arena, struct policy_wanted *want,
                   struct channel_report *ret_report)
{
	const struct rules *rules = &s->policy->rules;
	struct channel_report report = {.look_again_ms = KUBE_TIME_NONE, .unresolved = rules_unresolved(rules) != NULL};

	want->resolved.items = plan_alloc(arena, rules->patches.count * sizeof(*want->resolved.items));
	for (size_t i = 0; i < rules->patches.count; i++) {
		struct channel_pass pass = {s, arena, &rules->patches.items[i], &s->channels[i], &report};
		if (!pass.patch->channel)
			continue;
		struct resolved resolved = resolve(&pass);
		report.lacking |= !resolved.now.version;
		want->resolved.items[want->resolved.count++] = resolved;
	}
	want->version = first_version(rules, want);
	*ret_report = report;
}
