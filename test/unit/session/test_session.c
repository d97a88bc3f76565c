#include "test/unit/check_main.h"

#include <kube/session.h>
#include <string.h>
#include <unistd.h>

START_TEST(an_error_leaves_the_session_alone)
{
	static const struct kube_config_options where = {.kubeconfig = "/nonexistent/config"};
	struct kube_session session = {.loop = NULL};
	struct kube_err err;

	ck_assert_int_eq(kube_session_open(&session, &where, "test/1", &err), KUBE_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/config"));
	ck_assert_ptr_null(session.client);
	kube_session_close(&session);
	kube_session_close(NULL);
}
END_TEST

START_TEST(whole_sessions)
{
	static const char text[] = "{\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"http://127.0.0.1:1\"}}],"
	                           "\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\",\"namespace\":\"n\"}}],"
	                           "\"current-context\":\"x\"}";
	char path[] = "/tmp/kube-session-XXXXXX";
	struct kube_session session = {.loop = NULL};
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	const struct kube_config_options where = {.kubeconfig = path};
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(kube_session_open(&session, &where, "test/1", NULL), 0);
		ck_assert_str_eq(session.config->namespace_, "n");
		ck_assert_ptr_eq(kube_client_env(session.client), kube_loop_env(session.loop));
		kube_session_close(&session);
		ck_assert_ptr_null(session.client);
	}
	unlink(path);
}
END_TEST

CHECK_MAIN("session", an_error_leaves_the_session_alone, whole_sessions)
