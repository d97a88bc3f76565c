/* JSON patches as the real server applies them: `test` compares what is written, and Go writes some signs as escapes.
 */
#include "lib/sim/api.h"
#include "test/unit/check_main.h"

#include <string.h>

static const struct {
	const char *what, *document, *patch, *result; /* result NULL: it does not apply */
} cases[] = {
    {"nothing", "{\"a\":1}", "[]", "{\"a\":1}"},
    {"no list", "{}", "{}", NULL},
    {"no JSON", "{}", "[{\"op\":", NULL},
    {"escapes of the document stay", "{\"a\":\"<b>&\\\"\\\\\\n\"}",
     "[{\"op\":\"add\",\"path\":\"/b\",\"value\":\"\\\"\\\\<\"}]", "{\"a\":\"<b>&\\\"\\\\\\n\",\"b\":\"\\\"\\\\<\"}"},
    {"as Go writes it", "{\"a\":\"<\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"\\u003c\"}]", "{\"a\":\"<\"}"},
    {"as Go does not write it", "{\"a\":\"<\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"<\"}]", NULL},
    {"as nobody writes it", "{\"a\":\"b\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"\\u0062\"}]", NULL},
    {"a quote", "{\"a\":\"\\\"\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"\\\"\"}]", "{\"a\":\"\\\"\"}"},
    {"a line separator", "{\"a\":\"\u2028\"}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"\\u2028\"}]",
     "{\"a\":\"\u2028\"}"},
    {"what this patch has added is as it was sent", "{}",
     "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"<\"},{\"op\":\"test\",\"path\":\"/a\",\"value\":\"<\"}]",
     "{\"a\":\"<\"}"},
    {"null is nothing", "{}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{}"},
    {"below nothing", "{}", "[{\"op\":\"test\",\"path\":\"/a/b\",\"value\":null}]", NULL},
    {"into a list", "{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":3}]", "{\"a\":[1,3,2]}"},
    {"to the end of a list", "{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":3}]", "{\"a\":[1,2,3]}"},
    {"behind a list", "{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/3\",\"value\":3}]", NULL},
    {"replace in a list", "{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/0\",\"value\":3}]", "{\"a\":[3,2]}"},
    {"replace what is not there", "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":3}]", "{\"a\":3}"},
    {"remove what is not there", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
    {"remove behind a list", "{\"a\":[]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", NULL},
    {"move", "{\"a\":1,\"b\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/c\"}]", "{\"b\":{\"c\":1}}"},
    {"copy", "{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":1}"},
    {"move nothing", "{}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", NULL},
    {"a slash in a name", "{\"a/b~\":1}", "[{\"op\":\"remove\",\"path\":\"/a~1b~0\"}]", "{}"},
    {"no such operation", "{}", "[{\"op\":\"burn\",\"path\":\"/a\"}]", NULL},
};

START_TEST(patches)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_json_ cJSON *document = cJSON_Parse(cases[i].document);
		_cleanup_json_ cJSON *result = api_apply_json_patch(document, cases[i].patch);
		_cleanup_free_ char *text = result ? cJSON_PrintUnformatted(result) : NULL;
		const char *wanted = cases[i].result;

		ck_assert_msg((!text && !wanted) || (text && wanted && strcmp(text, wanted) == 0), "%s: %s", cases[i].what,
		              text ? text : "does not apply");
	}
}
END_TEST

CHECK_MAIN("sim json patch", patches)
