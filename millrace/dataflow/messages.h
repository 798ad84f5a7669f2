// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::dataflow::messages {

inline constexpr Message LanesOutOfRange{"dataflow.lanes_out_of_range",
                                         "{} lanes do not fit a row of {} pixels",
                                         "choose lanes from 1 to the width of the input's rows"};
inline constexpr Message RowsOutOfRange{
    "dataflow.rows_out_of_range", "{} rows of {} lanes do not fit a map of {} rows of {} pixels",
    "several rows a beat are whole rows: choose ROWSxWIDTH with at most as many rows as the map"};
inline constexpr Message ClockTooFast{
    "dataflow.clock_too_fast",
    "the {} of {} bits takes {:.0f} ps, the clock period leaves {:.0f} ps",
    "choose a longer clock period"};
inline constexpr Message ClockOutOfRange{"dataflow.clock_out_of_range",
                                         "a clock period of {} ns is outside 0.5 to 1000 ns",
                                         "choose a clock period from 0.5 to 1000 ns"};
inline constexpr Message NotExact{"dataflow.not_exact", "the value '{}' is a real number",
                                  "give every value a fixed-point type with a quantiser"};
inline constexpr Message Accumulator{
    "dataflow.accumulator", "'{}' loses bits in an accumulator of {}: a circuit has exact sums",
    "leave out --accumulators hls4ml, or give the layer an accum type that holds every sum"};
inline constexpr Message UnsupportedOperation{"dataflow.unsupported_operation",
                                              "no stage computes '{}', a {} {}",
                                              "emulate the network, or leave the operation out"};
inline constexpr Message TooMuchPadding{
    "dataflow.too_much_padding",
    "padding of {} rows and {} columns makes more windows than a kernel of {}x{} can pass at full "
    "rate, and the map is too large to be worked on as a whole",
    "use at most kernel - 1 pixels of padding along each axis, both sides together"};
inline constexpr Message DelayModelMissing{"dataflow.delay_model_missing",
                                           "there is no delay model for the family '{}'",
                                           "add data/delays/FAMILY.json or choose another part"};
inline constexpr Message DelayModelInvalid{"dataflow.delay_model_invalid",
                                           "the value of '{}' is missing or not a positive number",
                                           "compare with data/delays/xcu.json"};
inline constexpr Message NoThreeInputAdders{
    "dataflow.no_three_input_adders",
    "the carry chains of the family '{}' are not known to add three operands; those of {} do",
    "choose --adders auto or two-input, or a part of one of these families"};
inline constexpr Message NoDspBlocks{
    "dataflow.no_dsp_blocks",
    "the DSP blocks of the family '{}' are not known to multiply 18 by 27 bits; those of {} do",
    "choose --dsp never or auto, or a part of one of these families"};
inline constexpr Message WishUnmet{
    "dataflow.wish_unmet",
    "no circuit has {}: the nearest has a latency of {}, takes a frame every {} and about {} LUTs, "
    "with {} in a clock cycle; {}",
    "wish for what the nearest circuit has, choose another clock, or make the limiting layer "
    "smaller"};
inline constexpr Message CircuitTooLarge{
    "dataflow.circuit_too_large",
    "the circuit takes {} {} by estimate, {} holds {}, and the largest stage is {} of layer '{}' "
    "with {}",
    "choose a larger part, fewer lanes, or a smaller network"};
inline constexpr Message LayerOptionUnused{
    "dataflow.layer_option_unused",
    "there is nothing in the circuit for which '{}' could be chosen",
    "leave it out for this layer: docs/reference/command-line.md says which layers it is for"};
inline constexpr Message LayerOptionOutOfRange{
    "dataflow.layer_option_out_of_range", "'{}' of {} is out of range: it can be {} to {} here",
    "choose a number in the range; it depends on the lanes of the input"};
inline constexpr Message PlanInvalid{"dataflow.plan_invalid",
                                     "the stream's description is not valid: {}",
                                     "compile the network again"};

}  // namespace millrace::dataflow::messages
