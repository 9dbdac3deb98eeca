// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/report.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cell/recording.h"
#include "report/results.h"

static int format_results(struct avd__buf *out, const avd_results *results, uint32_t format,
			  const struct avd_print_options *options)
{
	static void (*const formats[])(struct avd__buf *, const avd_results *) = {
		[AVD_FORMAT_TEXT] = avd__results_text,
		[AVD_FORMAT_JSON] = avd__results_json,
		[AVD_FORMAT_TAP] = avd__results_tap,
		[AVD_FORMAT_KTAP] = avd__results_ktap,
		[AVD_FORMAT_JUNIT] = avd__results_junit,
		[AVD_FORMAT_MARKDOWN] = avd__results_markdown,
	};
	struct avd_print_options own = {0};
	int r = options ? avd__options_copy(&own, sizeof(own), options, sizeof(own.size)) : 0;
	if (r < 0)
		return r;
	if (own.flags & ~(uint32_t)AVD_PRINT_NO_DETAILS || own.reserved)
		return -EINVAL;
	if (format == AVD_FORMAT_HTML)
		avd__results_html(out, results,
				  own.flags & AVD_PRINT_NO_DETAILS ? 0
				  : own.details_limit		   ? own.details_limit
								   : AVD_DETAILS_LIMIT_DEFAULT);
	else if (format == AVD_FORMAT_VERISTAT)
		avd__results_veristat(out, results, own.log, own.userdata);
	else if (format < AVD__ARRAY_SIZE(formats) && formats[format])
		formats[format](out, results);
	else
		return -EINVAL;
	r = out->error;
	if (r < 0)
		avd__buf_free(out);
	return r;
}

int avd_results_print(const avd_results *results, uint32_t format,
		      const struct avd_print_options *options, char **ret_text, size_t *ret_size)
{
	struct avd__buf out = {0};
	const int r = format_results(&out, results, format, options);
	return r < 0 ? r : avd__buf_take(&out, ret_text, ret_size);
}

int avd_results_write(const avd_results *results, uint32_t format,
		      const struct avd_print_options *options, const char *path, char *error,
		      size_t error_size)
{
	struct avd__recording file = AVD__RECORDING_INIT;
	struct avd__error message = {{0}};
	struct avd__buf out = {0};
	/* The file first: nothing is worth the work if it can't be written. */
	int r = avd__recording_open(&file, path, &message);
	if (r == 0) {
		r = format_results(&out, results, format, options);
		if (r < 0)
			avd__fail(&message, -r, "cannot make the report: %s", strerror(-r));
	}
	if (r == 0) {
		avd__recording_write(&file, out.data, out.len);
		r = avd__recording_commit(&file, &message);
	}
	avd__recording_close(&file);
	avd__buf_free(&out);
	if (r < 0)
		avd__error_copy(&message, error, error ? error_size : 0);
	return r;
}
