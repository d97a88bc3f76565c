#include "test/unit/check_main.h"

#include <kube/client.h>
#include <kube/json.h>
#include <string.h>

START_TEST(statuses)
{
	static const struct {
		const char *json;
		int http_status, header_s;
		const char *reason, *cause, *message;
		int retry_after_s;
	} cases[] = {
	    {"{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"it changed\"}", 409, -1, "Conflict", "",
	     "it changed", -1},
	    {"{\"message\":\"m\",\"reason\":\"TooManyRequests\",\"details\":{\"causes\":[{\"reason\":\"DisruptionBudget\"},"
	     "{\"reason\":\"x\"}],\"retryAfterSeconds\":10}}",
	     429, -1, "TooManyRequests", "DisruptionBudget", "m", 10},
	    {"{\"message\":\"m\",\"details\":{\"retryAfterSeconds\":10}}", 429, 3, "", "", "m", 3},
	    {"{\"message\":\"m\",\"details\":{\"retryAfterSeconds\":0}}", 429, -1, "", "", "m", -1},
	    {"{\"message\":null,\"reason\":null,\"details\":null}", 403, -1, "", "", "HTTP status 403", -1},
	    {"{\"message\":5,\"reason\":[],\"details\":{\"causes\":{\"reason\":\"x\"}}}", 500, -1, "", "",
	     "HTTP status 500", -1},
	    {"{\"message\":\"\",\"details\":{\"causes\":[]}}", 500, -1, "", "", "HTTP status 500", -1},
	    {"{\"message\":\"m\",\"details\":{\"causes\":[null]}}", 500, -1, "", "", "m", -1},
	    {"{\"message\":\"100% %s\"}", 500, -1, "", "", "100% %s", -1},
	    {"null", 502, -1, "", "", "HTTP status 502", -1},
	    {NULL, 502, 4, "", "", "HTTP status 502", 4},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_json_ cJSON *json = cases[i].json ? cJSON_Parse(cases[i].json) : NULL;
		struct kube_err err;
		ck_assert(!cases[i].json || json);
		memset(&err, 'x', sizeof(err));
		kube_err_from_status(&err, cases[i].http_status, cases[i].header_s, json);
		ck_assert(kube_err_is(&err, cases[i].http_status));
		ck_assert_str_eq(err.reason, cases[i].reason);
		ck_assert_str_eq(err.cause, cases[i].cause);
		ck_assert_int_eq(err.retry_after_s, cases[i].retry_after_s);
		ck_assert_msg(strstr(err.message, cases[i].message), "case %zu: %s", i, err.message);
	}
	kube_err_from_status(NULL, 500, -1, NULL);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	struct kube_err err;
	char text[2000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + sizeof(err.reason) - 2, "\xc3\xa4", 2); /* does not fit */
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "reason", text);
	cJSON_AddStringToObject(json, "message", text);
	kube_err_from_status(&err, 500, -1, json);
	ck_assert_uint_eq(strlen(err.reason), sizeof(err.reason) - 2);
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

CHECK_MAIN("api/status", statuses, long_texts_are_cut)
