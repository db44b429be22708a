/* SPDX-License-Identifier: BSD-3-Clause */
/* Which words of a launch script are the device model, and how its words are kept. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/script.h"

static void redirected(const char *text, const char *want)
{
	char *got = script_redirect(text, "/t/dm");

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void each_call_is_redirected_whatever_its_path(void **state)
{
	(void)state;
	redirected("acrn-dm -m 1 vm1\n", "/t/dm -m 1 vm1\n");
	redirected("/usr/bin/acrn-dm vm1", "/t/dm vm1");
	redirected("cd /; ../bin/acrn-dm vm1&", "cd /; /t/dm vm1&");
	redirected("DM=\"/usr/bin/acrn-dm\"\n$DM vm", "DM=\"/t/dm\"\n$DM vm");
	redirected("a=$(acrn-dm)\nacrn-dm", "a=$(/t/dm)\n/t/dm");
	redirected("\tacrn-dm\\\n -m 1", "\t/t/dm\\\n -m 1");
}

static void other_words_stay(void **state)
{
	static const char *const same[] = {
		"", "mkdir /var/log/acrn-dm/vm1", "acrn-dm-kvm x", "my-acrn-dm x", "acrn-dm.log", "acrnctl list",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		redirected(same[i], same[i]);
}

static void words_come_back_as_they_were(void **state)
{
	char *words[] = { "1", "two words", "", "$x" }, *got[8];
	char *text = script_join(words, 4);

	(void)state;
	assert_string_equal(text, "1\ntwo words\n\n$x\n");
	assert_int_equal(script_split(text, got, 7), 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(got[i], words[i]);
	assert_null(got[4]);
	free(text);
	text = script_join(words, 4);
	assert_int_equal(script_split(text, got, 3), -1);
	free(text);
	words[1] = "a\nb";
	assert_null(script_join(words, 4));
}

static void a_script_is_text_of_limited_size(void **state)
{
	char path[] = "/tmp/acrn-script-XXXXXX", *text;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "12345", 5), 5);
	text = script_read(path, 5);
	assert_string_equal(text, "12345");
	free(text);
	assert_null(script_read(path, 4));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(pwrite(fd, "", 1, 2), 1);
	assert_null(script_read(path, 5));
	assert_int_equal(errno, EFBIG);
	close(fd);
	unlink(path);
	assert_null(script_read(path, 5));
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_is_redirected_whatever_its_path),
		cmocka_unit_test(other_words_stay),
		cmocka_unit_test(words_come_back_as_they_were),
		cmocka_unit_test(a_script_is_text_of_limited_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
