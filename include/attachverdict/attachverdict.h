/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Everything of libattachverdict. */
#ifndef ATTACHVERDICT_ATTACHVERDICT_H
#define ATTACHVERDICT_ATTACHVERDICT_H

#include <attachverdict/base.h>
#include <attachverdict/cell.h>
#include <attachverdict/kernel.h>
#include <attachverdict/machine.h>
#include <attachverdict/message.h>
#include <attachverdict/plan.h>
#include <attachverdict/report.h>
#include <attachverdict/results.h>
#include <attachverdict/stream.h>
#include <attachverdict/sweep.h>
#include <attachverdict/topology.h>
#include <attachverdict/verdict.h>
#include <attachverdict/verifier.h>

#endif
