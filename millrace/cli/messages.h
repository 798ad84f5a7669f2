// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::cli::messages {

inline constexpr Message BadClock{"cli.bad_clock", "'{}' is not a clock period or frequency",
                                  "Write a period such as 5ns or a frequency such as 200MHz."};
inline constexpr Message BadTime{"cli.bad_time", "'{}' is not a time or a number of cycles",
                                 "Write a time such as 300ns or 0.3us, or cycles: 60cycles."};
inline constexpr Message BadArea{"cli.bad_area", "{} LUTs are too few for any circuit",
                                 "Write a number of LUTs from 1 on."};
inline constexpr Message BadLanes{
    "cli.bad_lanes", "'{}' is not a number of pixels",
    "Write the pixels that arrive in a clock cycle: 4, whole rows as ROWSxWIDTH such as 4x28, or "
    "all."};
inline constexpr Message ConvertOutput{"cli.convert_output",
                                       "a file of this name is neither QONNX nor a graph's text",
                                       "Call it NAME.onnx, or NAME.mr for the text."};
inline constexpr Message BadOverrides{
    "cli.bad_overrides", "the options of layers are not of the form expected: {}",
    "Write 'layers: {NAME: {effort: N, adders: two-input, phases: N, lanes: N, dsp: auto}}', "
    "with what is needed of it."};
inline constexpr Message UnknownOverride{
    "cli.unknown_override", "there is no {} '{}'; the nearest name is '{}'",
    "Correct the name; 'millrace inspect' lists the layers of a model."};
inline constexpr Message BadTypeRules{
    "cli.bad_type_rules", "the types of numbers are not of the form expected: {}",
    "Write hls4ml's keys: 'Model: {Precision: ap_fixed<16,6>}', LayerType, LayerName."};
inline constexpr Message NoUseForWeights{"cli.no_use_for_weights", "{} holds its weights itself",
                                         "Leave --weights out; it is for Keras models in JSON."};
inline constexpr Message BadWidth{"cli.bad_width", "{} bits are not possible",
                                  "Write a width from 2 to 24 bits."};
inline constexpr Message BadErrorBudget{"cli.bad_error_budget", "{} is not an error budget",
                                        "Write the largest error of an output as a part of the "
                                        "largest output, such as 0.01."};
inline constexpr Message SampleShape{"cli.sample_shape", "an array of {} gives no inputs of {}",
                                     "Give one array of N samples, each of the model's input: "
                                     "height x width x channels, or channels "
                                     "x height x width."};
inline constexpr Message SampleLayout{"cli.sample_layout",
                                      "an array of {} may have its channels first or last",
                                      "Say which, with --layout chw or --layout hwc."};
inline constexpr Message SampleFile{"cli.sample_file", "a file of another kind than .npy or .pb",
                                    "Give a NumPy array (.npy) or an ONNX tensor (.pb)."};
inline constexpr Message SampleNotFinite{"cli.sample_not_finite",
                                         "element {} is {}, which no fixed-point input holds",
                                         "Give finite numbers."};
inline constexpr Message FilesForInputs{"cli.files_for_inputs",
                                        "the model has {} inputs, {} files were given",
                                        "Give --input FILE once for each, in the model's order."};
inline constexpr Message FilesForOutputs{"cli.files_for_outputs",
                                         "the model has {} outputs, {} files were given",
                                         "Give --output FILE once for each, in the model's order, "
                                         "or not at all."};
inline constexpr Message SampleCounts{"cli.sample_counts",
                                      "there are {} samples here, {} of the first input",
                                      "Give every input as many samples."};
inline constexpr Message ClassesDiffer{
    "cli.classes_differ", "the model tells {} classes apart, the images are of {}",
    "Choose images of the classes that the model was trained with."};
inline constexpr Message NoImages{
    "cli.no_images", "no images to run on: this model does not say what it was trained with",
    "Name them with --data, and the two classes with --signal and --background."};
inline constexpr Message ImageSize{"cli.image_size",
                                   "the images are {}x{} pixels, the model takes {}",
                                   "Choose images of the model's size."};
inline constexpr Message OneInputOneOutput{
    "cli.one_input_one_output", "the model has {} inputs and {} outputs",
    "This command takes models with one input and one output."};
inline constexpr Message TooFewImages{"cli.too_few_images",
                                      "{} frames were asked for, but there are {} test images",
                                      "Ask for fewer, or for every one with --frames 0."};
inline constexpr Message OutputsDiffer{
    "cli.outputs_differ", "{} outputs of the circuit differ from the reference; first in frame {}",
    "This is a fault of Millrace: please report it, with the model and the options."};
inline constexpr Message ScheduleDiffers{
    "cli.schedule_differs",
    "the simulated {} of frame {} is {} cycles, the scheduled one {} cycles",
    "This is a fault of Millrace: please report it, with the model and the options."};
inline constexpr Message OutputLost{"cli.output_lost", "standard output cannot be written: {}",
                                    "Check where it goes: a full disk, a closed pipe."};
inline constexpr Message Interrupted{"cli.interrupted", "stopped as asked",
                                     "Run the command again."};
inline constexpr Message UnknownNetwork{"cli.unknown_network",
                                        "there is nothing published about a network '{}'",
                                        "The networks are: letters."};
inline constexpr Message BadRange{"cli.bad_range", "'{}' is not a range of integers",
                                  "Write the lower and the upper end, such as -128,127."};
inline constexpr Message RangesShape{"cli.ranges_shape", "the array of ranges is {} x {}",
                                     "Give it one row for each column of the matrix, and two "
                                     "columns: the lower and the upper end."};

}  // namespace millrace::cli::messages
