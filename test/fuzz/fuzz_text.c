/* Durations, times and log entries: what is read is written back as the same, and no text breaks out of its line. */
#include "test/fuzz/fuzz.h"

#include <kube/json.h>
#include <kube/log.h>
#include <kube/time.h>

static void duration(const char *text)
{
	char once[KUBE_DURATION_TEXT_SIZE];
	int64_t ms = -1, again = -1;

	if (kube_duration_parse(text, &ms, NULL) != 0)
		return;
	REQUIRE(ms >= 0);
	REQUIRE(kube_duration_parse(kube_duration_format(ms, once), &again, NULL) == 0);
	REQUIRE(ms == again);
}

static void moment(const char *text)
{
	char once[KUBE_TIME_TEXT_SIZE];
	int64_t ms = 0, again = 0;

	if (kube_time_parse(text, &ms, NULL) == 0) {
		REQUIRE(kube_time_parse(kube_time_format_micro(ms, once), &again, NULL) == 0);
		REQUIRE(ms == again);
		REQUIRE(kube_time_parse(kube_time_format(ms, once), &again, NULL) == 0);
		REQUIRE(again <= ms && ms - again < 1000);
	}
	kube_time_parse_http(text, &ms, NULL);
}

static void log_entry(const char *text, enum kube_log_format format)
{
	char *out = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&out, &len);
	cJSON *json = NULL;

	REQUIRE(stream);
	const struct kube_log_config config = {.level = KUBE_LOG_INFO, .format = format, .stream = stream};
	kube_log_setup(&config);
	kube_log(KUBE_LOG_INFO, text, "key", text, NULL);
	fclose(stream);
	REQUIRE(len > 0 && len <= 8192 && strchr(out, '\n') == out + len - 1);
	for (size_t i = 0; i + 1 < len; i++)
		REQUIRE((unsigned char)out[i] >= ' ');
	if (format == KUBE_LOG_JSON)
		REQUIRE(kube_json_parse(out, len, &json, NULL) == 0 && cJSON_IsObject(json));
	cJSON_Delete(json);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind = fuzz_byte(&data, &size) % 4;
	char *text = fuzz_text(data, size);

	switch (kind) {
	case 0: duration(text); break;
	case 1: moment(text); break;
	case 2: log_entry(text, KUBE_LOG_TEXT); break;
	case 3: log_entry(text, KUBE_LOG_JSON); break;
	}
	free(text);
	return 0;
}
