// SPDX-License-Identifier: Apache-2.0
// Everything that can be wrong with an ONNX model, or with a graph to be written as one.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::frontends::onnx::messages {

// The file.
inline constexpr Message NotOnnx{"frontends.onnx.not_onnx", "this is not an ONNX model",
                                 "give the .onnx file that the training framework wrote"};
inline constexpr Message NotATensor{"frontends.onnx.not_a_tensor",
                                    "this is not an ONNX tensor (TensorProto)",
                                    "give a .pb file such as input_0.pb of an ONNX test"};
inline constexpr Message Truncated{"frontends.onnx.truncated",
                                   "the ONNX model is cut short or damaged: {}",
                                   "copy or export the file again"};
inline constexpr Message TooLarge{"frontends.onnx.too_large", "{} is larger than {}",
                                  "models of this size do not fit an FPGA; check the shape"};
inline constexpr Message Opset{"frontends.onnx.opset",
                               "version {} of the ONNX operators is not supported",
                               "export the model with an opset between 7 and 22 (1 at least)"};
inline constexpr Message ExternalData{
    "frontends.onnx.external_data",
    "the numbers of this tensor are in another file, and the model itself is not read from one",
    "give the .onnx file"};
inline constexpr Message ExternalPath{
    "frontends.onnx.external_path",
    "the file {} of this tensor is not one in the folder of the model",
    "put it beside the model, without links that lead elsewhere"};
inline constexpr Message ExternalSize{"frontends.onnx.external_size",
                                      "its {} is {}, which does not fit {}",
                                      "export the model again"};
inline constexpr Message TensorKind{"frontends.onnx.tensor_type",
                                    "tensors of type {} are not supported",
                                    "use float32, float64 or integers of at most 64 bits"};
inline constexpr Message TensorSize{"frontends.onnx.tensor_size",
                                    "the shape {} needs {} numbers, the file holds {}",
                                    "export the file again"};
inline constexpr Message NotFinite{"frontends.onnx.not_finite", "a number is {}",
                                   "check the training: weights must be finite"};
inline constexpr Message LargeInteger{"frontends.onnx.large_integer",
                                      "the integer {} has no exact place among the weights",
                                      "keep integers within 53 bits"};

// The graph's structure.
inline constexpr Message NoInput{"frontends.onnx.no_input", "the model has no input",
                                 "declare one in the graph"};
inline constexpr Message NoOutput{"frontends.onnx.no_output", "the model has no output",
                                  "declare one in the graph"};
inline constexpr Message InputKind{"frontends.onnx.input_type",
                                   "the model's input is not a float tensor",
                                   "export the model with a float32 input; whole numbers may only "
                                   "be read by a Cast or DequantizeLinear"};
inline constexpr Message InputRank{
    "frontends.onnx.input_rank",
    "the input has rank {}: images are 1xCxHxW, sequences 1xCxL, vectors 1xN",
    "reshape the model's input"};
inline constexpr Message DynamicShape{"frontends.onnx.dynamic_shape",
                                      "{} of the input is not known",
                                      "export the model with a fixed input shape"};
inline constexpr Message Batch{"frontends.onnx.batch", "the batch dimension is {}, not 1",
                               "export the model for one frame at a time, or a free batch"};
inline constexpr Message MissingTensor{"frontends.onnx.missing_tensor", "nothing defines '{}'",
                                       "the model is incomplete: export it again"};
inline constexpr Message DuplicateTensor{"frontends.onnx.duplicate_tensor", "'{}' is defined twice",
                                         "give every tensor a name of its own"};
inline constexpr Message Cycle{"frontends.onnx.cycle", "it depends on its own result",
                               "recurrent models must be unrolled before they are exported"};
inline constexpr Message OutputShape{"frontends.onnx.output_shape",
                                     "the model declares the output as {}, its nodes give {}",
                                     "run shape inference again, or export the model again"};
inline constexpr Message ConstantOutput{"frontends.onnx.constant_output",
                                        "the output '{}' does not depend on the input",
                                        "export the whole model"};

// Operators and attributes.
inline constexpr Message UnsupportedOperator{
    "frontends.onnx.unsupported_operator", "the operator {} is not supported",
    "see docs/reference/onnx.md for what is; replace it or cut the model before it"};
inline constexpr Message InputCount{
    "frontends.onnx.input_count", "it has {} inputs, expected {} to {}", "export the model again"};
inline constexpr Message ExtraOutput{"frontends.onnx.extra_output",
                                     "only its first output is supported",
                                     "export the model for inference"};
inline constexpr Message UnsupportedAttribute{"frontends.onnx.unsupported_attribute",
                                              "the attribute {} is not supported",
                                              "export the model with a newer opset, or without it"};
inline constexpr Message BadAttribute{"frontends.onnx.attribute",
                                      "the attribute {} is {}, expected {}",
                                      "change the layer in the model"};
inline constexpr Message MissingAttribute{"frontends.onnx.missing_attribute",
                                          "the attribute {} is missing", "export the model again"};
inline constexpr Message NotConstant{"frontends.onnx.not_constant", "its {} must be a constant",
                                     "make it an initialiser"};
inline constexpr Message NotComputed{"frontends.onnx.not_computed",
                                     "its {} is a constant, expected a value computed from the "
                                     "model's input",
                                     "fold constants before the export (onnxsim does)"};
inline constexpr Message Rank{"frontends.onnx.rank", "its {} has the shape {}, expected {}",
                              "change the layer in the model"};

inline constexpr Message NotIntegers{"frontends.onnx.not_integers",
                                     "its {} is not a list of whole numbers",
                                     "export the model again"};
inline constexpr Message NotFiniteResult{
    "frontends.onnx.not_finite_result",
    "its result is not finite, or an integer too large to be exact",
    "check the constants that it reads"};
inline constexpr Message GatherIndex{"frontends.onnx.gather_index", "the index {} is not one of {}",
                                     "export the model again"};
inline constexpr Message CastChanges{"frontends.onnx.cast", "a cast to type {} changes the numbers",
                                     "remove it, or quantise the value with Quant first"};
inline constexpr Message OldOperator{"frontends.onnx.old_operator",
                                     "before operator set {} it meant something else",
                                     "export the model with a newer opset"};
inline constexpr Message Training{"frontends.onnx.training", "it is in training mode",
                                  "export the model for inference"};
inline constexpr Message Exponent{"frontends.onnx.exponent",
                                  "the exponent is {}, which has no operation",
                                  "use 2, 3, 1/2, -1/2, -1 or 1"};

inline constexpr Message FunctionOperator{
    "frontends.onnx.function_operator",
    "the model defines its own function in place of an operator of ONNX",
    "inline the function, or give it a domain of its own"};
inline constexpr Message OwnFunction{"frontends.onnx.own_function",
                                     "the model defines it otherwise than Millrace writes it",
                                     "convert the model again with this version of millrace"};
inline constexpr Message OwnTable{"frontends.onnx.own_table",
                                  "its {} is not that of a table behind codes of type {}",
                                  "convert the model again with this version of millrace"};

// Quantisers.
inline constexpr Message QuantZeroPoint{"frontends.onnx.quant_zero_point",
                                        "the zero point {} is not a whole number that fits",
                                        "train with symmetric quantisation"};
inline constexpr Message QuantBipolar{"frontends.onnx.quant_bipolar",
                                      "some channels have one signed bit, others more",
                                      "use the same width for all channels"};
inline constexpr Message QuantEmpty{"frontends.onnx.quant_empty", "its {} holds no number",
                                    "export the model again"};
inline constexpr Message QuantSpread{"frontends.onnx.quant_spread",
                                     "the types of its channels need more than 64 bits together",
                                     "train with scales that lie nearer to each other"};
inline constexpr Message QuantLinearType{"frontends.onnx.quant_linear_type",
                                         "its zero point is not a tensor of whole numbers",
                                         "quantise to int8 or uint8"};
inline constexpr Message TruncZeroPoint{"frontends.onnx.trunc_zero_point",
                                        "the zero point of a truncation is {}, not 0",
                                        "train with symmetric quantisation"};
inline constexpr Message TruncInput{"frontends.onnx.trunc_input",
                                    "what it truncates is not quantised to steps of {}",
                                    "put a Quant with that scale before it"};
inline constexpr Message TruncRange{"frontends.onnx.trunc_range",
                                    "its range is one signed bit, or narrow and unsigned",
                                    "use a Quant instead"};
inline constexpr Message Thresholds{"frontends.onnx.thresholds",
                                    "it has {} thresholds, expected 1 to {}",
                                    "train with at most 8 bits"};
inline constexpr Message QuantScale{"frontends.onnx.quant_scale",
                                    "the scale {} is not a finite number above 0",
                                    "export the model again; scales are float32 numbers above 0"};
inline constexpr Message TruncScale{"frontends.onnx.trunc_scale",
                                    "the scale {} of Trunc is not a power of two",
                                    "use Quant, or train with power-of-two scales"};
inline constexpr Message QuantPerChannel{"frontends.onnx.quant_per_channel",
                                         "its {} differs from channel to channel",
                                         "train with one quantiser a tensor"};
inline constexpr Message QuantWidth{"frontends.onnx.quant_width",
                                    "the bit width is {}, expected a whole number from 1 to {}",
                                    "train with a narrower quantiser"};
inline constexpr Message QuantSign{"frontends.onnx.quant_sign", "its sign is {}, expected 0 or 1",
                                   "convert the model again with this version of millrace"};
inline constexpr Message QuantRounding{"frontends.onnx.quant_rounding",
                                       "the rounding mode {} is not supported",
                                       "use ROUND, FLOOR, ROUND_TO_ZERO, HALF_UP or HALF_DOWN"};
inline constexpr Message KernelTooLarge{"frontends.onnx.kernel_too_large",
                                        "the kernel {}x{} does not fit the padded map {}x{}",
                                        "change the layer in the model"};
inline constexpr Message LayerShapes{"frontends.onnx.layer_shapes",
                                     "its {} has the shape {}, its {} {}",
                                     "change the layer in the model"};
inline constexpr Message BiasShape{"frontends.onnx.bias_shape",
                                   "a bias of shape {} does not give each of the {} channels one "
                                   "number",
                                   "reshape the bias"};
inline constexpr Message GemmFactor{"frontends.onnx.gemm_factor",
                                    "{} is {}, but quantised operands allow powers of two only",
                                    "fold the factor into the weights"};
inline constexpr Message Normalization{"frontends.onnx.normalization",
                                       "channel {} has no finite scale and offset: variance {}",
                                       "check the training"};
inline constexpr Message NormalizationQuantised{
    "frontends.onnx.normalization_quantised",
    "its {} is quantised; then mean must be 0 and variance + epsilon 1",
    "leave the normalisation's parameters real"};

inline constexpr Message Reshape{"frontends.onnx.reshape",
                                 "the shape {} does not hold the elements of {}",
                                 "export the model again"};
inline constexpr Message SliceAxes{"frontends.onnx.slice_axes", "it cuts more than three axes",
                                   "cut them one after the other"};
inline constexpr Message SliceEmpty{"frontends.onnx.slice_empty",
                                    "nothing is left of axis {} of {}",
                                    "change the layer in the model"};
inline constexpr Message SliceStep{"frontends.onnx.slice_step", "the step is {}, not 1",
                                   "use a pooling layer with strides instead"};
inline constexpr Message PadValue{"frontends.onnx.pad_value", "it pads with {}, not 0",
                                  "pad with zeros"};
inline constexpr Message ResizeFactor{
    "frontends.onnx.resize_factor",
    "its scales are {}, not whole numbers for rows and columns alone", "enlarge by whole factors"};
inline constexpr Message ResizeMode{"frontends.onnx.resize_mode",
                                    "coordinates {} with nearest pixel {} do not repeat each pixel",
                                    "use asymmetric coordinates and floor"};
inline constexpr Message CeilMode{
    "frontends.onnx.ceil_mode",
    "with ceil_mode its last window takes in what frameworks count differently",
    "pad so that the windows fill the map, and use ceil_mode 0"};
inline constexpr Message TopKValues{
    "frontends.onnx.top_k_values",
    "the {} largest numbers themselves are used, not their indices alone",
    "use the indices, or the largest number alone (k = 1)"};

// Writing.
inline constexpr Message ExportOperation{"frontends.onnx.export_operation",
                                         "QONNX has no operator for {}",
                                         "write the graph before it is lowered"};
inline constexpr Message ExportQuantizer{"frontends.onnx.export_quantizer",
                                         "QONNX cannot express {}",
                                         "choose another quantiser, or keep the graph as text"};
inline constexpr Message ExportNumber{"frontends.onnx.export_number",
                                      "the number {} of type {} is not exact as a double",
                                      "use at most 53 significant bits"};

}  // namespace millrace::frontends::onnx::messages
