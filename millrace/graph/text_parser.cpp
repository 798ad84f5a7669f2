// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/text.h"
