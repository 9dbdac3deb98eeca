/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A kernel's .config: embedded in the image (CONFIG_IKCONFIG) or beside it. */
#ifndef AVD_LIB_IMAGE_CONFIG_H
#define AVD_LIB_IMAGE_CONFIG_H

#include <attachverdict/kernel.h>

#include "base/error.h"

/* A .config has about 300 KB; more is no .config. */
#define AVD__CONFIG_MAX ((size_t)8 << 20)

/* Finds and unpacks an embedded configuration (kernel/configs.c: IKCFG_ST, gzip, IKCFG_ED).
 * *ret_config is NULL if there is none, else to be freed with free(). -EBADMSG, -ENOMEM. */
int avd__config_find(const uint8_t *data, size_t size, char **ret_config);

/* Looks for config-<release> beside the image, in /boot, and /usr/lib/modules/<release>/config.
 * *ret_config is NULL if there is none that can be read. -ENOMEM. */
int avd__config_beside(const char *image_path, const char *release, char **ret_config);

#define AVD__CONFIG_SCHED_EXT "CONFIG_SCHED_CLASS_EXT"

/* AVD_YES if "<option>=y" or "=m" stands in the configuration. */
enum avd_tristate avd__config_has(const char *config, const char *option);

#endif
