/* A program as a user of the library writes it: only installed headers, no header of this tree. C and C++. */
#include <inttypes.h>
#include <kube/json.h>
#include <kube/queue.h>
#include <kube/resource.h>
#include <kube/sim.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

static int worked;

static void work(void *arg, const char *key)
{
	(void)arg;
	worked += strcmp(key, "default/web") == 0;
}

static int show_path(struct kube_err *err)
{
	struct kube_buf path = {};

	kube_buf_init(&path, 256);
	int result = kube_resource_path(&path, &kube_pods, "default", "web", "eviction", err);
	if (!result)
		puts(path.data);
	kube_buf_finish(&path);
	return result;
}

static int show_name(struct kube_err *err)
{
	static const char text[] = "{\"metadata\":{\"name\":\"web\"}}";
	cJSON *json = NULL;

	int result = kube_json_parse(text, strlen(text), &json, err);
	if (!result)
		puts(kube_json_str(json, "metadata.name"));
	cJSON_Delete(json);
	return result;
}

static int show_work(struct kube_err *err)
{
	struct kube_sim *sim = NULL;
	struct kube_queue *queue = NULL;

	int result = kube_sim_new(1, 0, &sim, err);
	if (!result)
		result = kube_queue_new(kube_sim_env(sim), work, NULL, &queue, err);
	if (!result)
		result = kube_queue_add_after(queue, "default/web", 5000);
	if (!result)
		kube_sim_run(sim, 10000, 100);
	printf("worked %d time(s)\n", worked);
	kube_queue_free(queue);
	kube_sim_free(sim);
	return result;
}

int main(void)
{
	struct kube_err err = {};
	int64_t ms = 0;

	int result = kube_duration_parse("1h30m", &ms, &err);
	if (!result)
		printf("%" PRId64 " ms\n", ms);
	if (!result)
		result = show_path(&err);
	if (!result)
		result = show_name(&err);
	if (!result)
		result = show_work(&err);
	if (result)
		fprintf(stderr, "%s: %s\n", kube_code_text(result), err.message);
	return result ? 1 : 0;
}
