#include "test/fleet/behaviour.h"
#include <kube/time.h>
#include <string.h>

static int set_word(struct behaviour *b, char *word, struct kube_arena *arena, struct kube_err *err)
{
	struct flag {
		const char *name;
		bool *flag;
	} flags[] = {{"fail", &b->fail},
	             {"hang", &b->hang},
	             {"hold", &b->hold},
	             {"hide", &b->hide},
	             {"lie", &b->lie},
	             {"twice", &b->twice},
	             {"notready", &b->not_ready},
	             {"reboot", &b->reboot},
	             {"lost", &b->lost},
	             {"fail-once", &b->fail_once},
	             {"prepare-fail", &b->prepare_fail},
	             {"verify-fail", &b->verify_fail},
	             {"rollback-fail", &b->rollback_fail}};
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; !value && i < KUBE_ARRAY_LEN(flags); i++)
		if (!strcmp(word, flags[i].name)) {
			*flags[i].flag = true;
			return 0;
		}
	if (value && !strcmp(word, "lag"))
		return kube_duration_parse(value, &b->lag_ms, err);
	if (value && !strcmp(word, "delay"))
		return kube_duration_parse(value, &b->delay_ms, err);
	if (!value || strcmp(word, "version") != 0)
		return kube_fail(err, KUBE_E_INVALID, "unknown behaviour \"%s\"", word);
	b->version = kube_arena_strdup(arena, value);
	return b->version ? 0 : kube_fail(err, KUBE_E_NOMEM, "out of memory");
}

int behaviour_parse(const char *text, struct kube_arena *arena, struct behaviour *ret_behaviour, struct kube_err *err)
{
	struct behaviour behaviour = {.delay_ms = -1};
	_cleanup_free_ char *copy = strdup(text ? text : "");
	char *rest = copy;

	if (!copy)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory");
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		int result = *word ? set_word(&behaviour, word, arena, err) : 0;
		if (result)
			return result;
	}
	*ret_behaviour = behaviour;
	return 0;
}

const char *behaviour_node_info(const char *component)
{
	static const struct {
		const char *component, *member;
	} members[] = {
	    {"ContainerRuntime", "containerRuntimeVersion"},
	    {"Kubelet", "kubeletVersion"},
	    {"Kernel", "kernelVersion"},
	    {"OperatingSystem", "osImage"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(members); i++)
		if (!strcmp(component, members[i].component))
			return members[i].member;
	return NULL;
}

const char *behaviour_dress(const char *old_value, const char *version, struct kube_arena *arena)
{
	const char *scheme = strstr(old_value, "://");

	if (strstr(version, "://"))
		return kube_arena_strdup(arena, version);
	if (scheme)
		return kube_arena_printf(arena, "%.*s://%s", (int)(scheme - old_value), old_value, version);
	if (*old_value == 'v' && *version != 'v')
		return kube_arena_printf(arena, "v%s", version);
	return kube_arena_strdup(arena, version);
}
