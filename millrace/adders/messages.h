// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::adders::messages {

inline constexpr Message EmptyMatrix{"adders.empty_matrix", "the matrix has {} rows and {} columns",
                                     "give a matrix with at least one row and one column"};
inline constexpr Message RaggedMatrix{"adders.ragged_matrix",
                                      "{} rows of {} columns need {} entries, there are {}",
                                      "give each row the same number of entries"};
inline constexpr Message EntryTooWide{
    "adders.entry_too_wide", "the entry {} needs more than {} bits", "scale the matrix down"};
inline constexpr Message WrongNumberOfRanges{"adders.wrong_number_of_ranges",
                                             "there are {} input ranges for {} columns",
                                             "give one range for each column of the matrix"};
inline constexpr Message ReversedRange{"adders.reversed_range", "the range {} to {} is empty",
                                       "give the lower end first"};
inline constexpr Message RangeTooWide{"adders.range_too_wide", "the range needs more than {} bits",
                                      "scale the inputs down"};
inline constexpr Message SumTooWide{"adders.sum_too_wide", "the sum may need more than {} bits",
                                    "scale the matrix or the inputs down"};
inline constexpr Message DepthBelowMinimum{"adders.depth_below_minimum",
                                           "a depth of {} adders is not enough: the minimum is {}",
                                           "allow at least the minimum depth"};
inline constexpr Message TwoDepthLimits{"adders.two_depth_limits",
                                        "both a largest depth and an extra depth are given",
                                        "give one of them"};
inline constexpr Message EffortOutOfRange{"adders.effort_out_of_range",
                                          "an effort of {} is outside 0 to {}",
                                          "choose an effort inside the range"};
inline constexpr Message Stopped{"adders.stopped", "the search was stopped",
                                 "let it run to its end, or choose a lower effort"};

}  // namespace millrace::adders::messages
