#pragma once

#include "lwbuild/driver/options.h"

/* lwbuild cache trim | clear | verify */
int lwb_cmd_cache(const struct lwb_options *options);

/* lwbuild --stats [--zero] [--format text|json|tsv] */
int lwb_cmd_stats(const struct lwb_options *options);
