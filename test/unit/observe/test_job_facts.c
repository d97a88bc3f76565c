#include "controller/observe/job_facts.h"
#include "test/unit/check_main.h"

#include <string.h>

static struct pod pod(const char *name, int64_t created_ms)
{
	return (struct pod){.object = {.name = name, .uid = name, .created_ms = created_ms}, .job_node_uid = "n"};
}

/* In the order in which the cache lets them go; what is known in the end. */
START_TEST(the_youngest_that_vanished_is_known)
{
	static const struct {
		const char *what, *asked, *first, *second, *known;
		int64_t first_ms, second_ms;
	} cases[] = {
	    {"the younger one later", NULL, "old", "new", "new", 1000, 2000},
	    {"the older one later", NULL, "new", "old", "new", 2000, 1000},
	    {"one that was asked for stays", "asked", "old", "new", "asked", 1000, 2000},
	    {"one that was asked for vanishes", "new", "old", "new", "new", 1000, 2000},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct pod first = pod(cases[i].first, cases[i].first_ms), second = pod(cases[i].second, cases[i].second_ms);
		struct job_facts *facts;
		ck_assert_int_eq(job_facts_new(&facts, NULL), 0);
		if (cases[i].asked)
			job_facts_asked(facts, "n", cases[i].asked);
		job_facts_vanished(facts, &first);
		job_facts_vanished(facts, &second);
		const struct job_fact *fact = job_facts_get(facts, "n");
		ck_assert_msg(fact && strcmp(fact->name, cases[i].known) == 0, "%s: %s is known", cases[i].what,
		              fact ? fact->name : "nothing");
		bool vanished = strcmp(fact->name, "asked") != 0;
		ck_assert_msg(fact->absent == vanished && fact->existed == vanished, "%s", cases[i].what);
		job_facts_free(facts);
	}
}
END_TEST

CHECK_MAIN("observe/job_facts", the_youngest_that_vanished_is_known)
