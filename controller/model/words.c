/* Lists of words that stand for a set, such as days and moments. */
#include "controller/model/internal.h"

#include <string.h>

int words_decode(const cJSON *list, const char *const *words, const char *expected, uint32_t *ret_bits,
                 struct kube_err *err)
{
	const cJSON *item;
	uint32_t bits = 0;

	if (!cJSON_IsArray(list))
		return kube_fail(err, KUBE_E_PARSE, "expected a list of %s", expected);
	cJSON_ArrayForEach (item, list) {
		size_t word = 0;
		while (words[word] && (!cJSON_IsString(item) || strcmp(item->valuestring, words[word]) != 0))
			word++;
		if (!words[word])
			return kube_fail(err, KUBE_E_PARSE, "expected %s", expected);
		bits |= UINT32_C(1) << word;
	}
	*ret_bits = bits;
	return 0;
}
