// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::passes::messages {

inline constexpr Message MissingQuantizer{
    "passes.missing_quantizer", "'%{}' ({}) is a real number: a quantiser is missing behind it",
    "quantise this value in the model, or give types with --quantize or --calibrate"};
inline constexpr Message UnquantizedWeights{
    "passes.unquantized_weights",
    "the weights '%{}' of {} '%{}' need more than {} bits: a quantiser is missing",
    "quantise the weights in the model, or give types with --quantize or --calibrate"};
inline constexpr Message UnquantizedConstant{
    "passes.unquantized_constant",
    "the constant '%{}' of {} '%{}' needs more than 64 bits to be exact: a quantiser is missing",
    "quantise the bias, scale or offset in the model, or give types with --quantize"};
inline constexpr Message StepRemains{
    "passes.step_remains", "nothing exact is known that rounds '%{}' to steps of {}",
    "quantise the value before it to fewer bits or to one scale, or use a power of two as scale"};
inline constexpr Message AffineTooWide{
    "passes.affine_too_wide",
    "the scale and the offset of '%{}', with '%{}', need more than 64 bits to be exact",
    "quantise the value behind them, or the scale and the offset to fewer bits"};
inline constexpr Message TableTooWide{
    "passes.table_too_wide", "'%{}' reads {}, which is too wide for a table: at most {} bits",
    "quantise the value before it to fewer bits, or leave a final sigmoid off with --logits"};
inline constexpr Message TableFraction{
    "passes.table_fraction", "'%{}' goes from {} to {}: a table has at most {} fraction bits",
    "use types with fewer fraction bits"};
inline constexpr Message TableTypes{
    "passes.table_types", "'%{}' is quantised to a type for each channel: a table has one type",
    "quantise the function to one type; a second quantiser behind it may have one for each "
    "channel"};
inline constexpr Message SoftmaxLimit{
    "passes.softmax_limit", "softmax '%{}' goes from {} to {} over {} channels: beyond its limits",
    "use at most 40 fraction bits before it, 20 behind it, and 4096 channels"};

}  // namespace millrace::passes::messages
