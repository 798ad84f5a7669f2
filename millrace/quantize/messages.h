// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::quantize::messages {

inline constexpr Message UnknownLayer{
    "quantize.unknown_layer", "the model has no layer '{}'{}",
    "use the names that `millrace inspect MODEL` shows, or leave this entry out"};
inline constexpr Message NoRule{
    "quantize.no_rule", "the {} of '%{}' needs a type, and no rule gives one",
    "give the model a Precision: Model: {Precision: 'fixed<16,6>'}, or an entry for this layer"};
inline constexpr Message AutoImpossible{
    "quantize.auto_impossible", "the {} of '%{}' ({}) has no exact type: 'auto' is not possible",
    "give this value a type of its own, for instance fixed<16,6>"};
inline constexpr Message StepsKeepTheirType{
    "quantize.steps", "the model's quantiser '%{}' counts steps of {}: it takes no other type",
    "leave its entry out; give the value in front of it a type instead"};
inline constexpr Message Hls4mlFunction{
    "quantize.hls4ml_function", "how hls4ml's circuits compute '%{}', {}, is not known here",
    "leave out --accumulators hls4ml; functions are then rounded exactly"};
inline constexpr Message Hls4mlTableSize{
    "quantize.hls4ml_table_size", "a table of {} entries for '%{}' has no index of whole bits",
    "give table_size as a power of two, from 2 to 65536"};
inline constexpr Message Hls4mlSoftmax{
    "quantize.hls4ml_softmax", "softmax '%{}' is not computed as in hls4ml's circuits: {}",
    "change this in the configuration, or leave out --accumulators hls4ml"};
inline constexpr Message NoSamples{
    "quantize.no_samples", "there is no sample to calibrate with",
    "give inputs like those that the network will see; a few hundred are enough"};
inline constexpr Message NotFinite{
    "quantize.not_finite", "'%{}' becomes {} for sample {}",
    "look at the model's weights and at this sample with `millrace run --float`"};
inline constexpr Message BudgetTooSmall{
    "quantize.budget_too_small",
    "an error of at most {:.3g} of the largest output needs more than {} bits: they give {:.3g}",
    "allow a larger error, or give types with --quantize"};

}  // namespace millrace::quantize::messages
