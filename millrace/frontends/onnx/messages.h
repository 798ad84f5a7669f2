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
                               "export the model with an opset between 7 and 22"};
inline constexpr Message ExternalData{
    "frontends.onnx.external_data", "the numbers of this tensor are in another file",
    "save the model as one file: onnx.save_model(model, path, save_as_external_data=False)"};
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
inline constexpr Message OneInput{"frontends.onnx.one_input", "the model has {} inputs, not one",
                                  "split the model, or make the other inputs initialisers"};
inline constexpr Message OneOutput{"frontends.onnx.one_output", "the model has {} outputs, not one",
                                   "cut the model so that it has one output"};
inline constexpr Message InputKind{"frontends.onnx.input_type",
                                   "the model's input is not a float tensor",
                                   "export the model with a float32 input"};
inline constexpr Message DynamicShape{"frontends.onnx.dynamic_shape",
                                      "{} of the input is not known",
                                      "export the model with a fixed input shape"};
inline constexpr Message Batch{"frontends.onnx.batch", "the batch dimension is {}, not 1",
                               "export the model for one frame at a time, or a free batch"};
inline constexpr Message InputRank{"frontends.onnx.input_rank",
                                   "the input has rank {}: images are 1xCxHxW and vectors are 1xN",
                                   "reshape the model's input"};
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
inline constexpr Message FlattenedOutput{
    "frontends.onnx.flattened_output",
    "the output is a flattened {}x{}x{} map in CHW order, which the circuit does not give",
    "make the map itself the output (it comes in HWC order), or put a layer behind it"};

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

// Quantisers.
inline constexpr Message QuantScale{"frontends.onnx.quant_scale",
                                    "the scale {} is not a power of two between 2^{} and 2^{}",
                                    "train with power-of-two scales (fixed point)"};
inline constexpr Message QuantPerChannel{"frontends.onnx.quant_per_channel",
                                         "its {} differs from channel to channel",
                                         "train with one quantiser a tensor"};
inline constexpr Message QuantZeroPoint{"frontends.onnx.quant_zero_point",
                                        "the zero point is {}, not 0",
                                        "train with symmetric quantisation"};
inline constexpr Message QuantWidth{"frontends.onnx.quant_width",
                                    "the bit width is {}, expected a whole number from 1 to {}",
                                    "train with a narrower quantiser"};
inline constexpr Message QuantBipolar{"frontends.onnx.quant_bipolar",
                                      "a signed 1-bit quantiser gives -1 and 1, not fixed point",
                                      "use two bits, narrow: -1, 0 and 1"};
inline constexpr Message QuantNarrow{"frontends.onnx.quant_narrow",
                                     "an unsigned quantiser cannot be narrow",
                                     "train with narrow = 0 where signed = 0"};
inline constexpr Message QuantRounding{"frontends.onnx.quant_rounding",
                                       "the rounding mode {} is not supported",
                                       "use ROUND, FLOOR, ROUND_TO_ZERO, HALF_UP or HALF_DOWN"};
inline constexpr Message QuantInputRounding{
    "frontends.onnx.quant_input_rounding",
    "the input's quantiser rounds by {}, but whoever feeds the circuit rounds to nearest",
    "use ROUND for the input's quantiser"};

// Layers.
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
inline constexpr Message AddNotBias{
    "frontends.onnx.add", "it is not a bias right behind a Conv or MatMul without one",
    "only constant biases are supported: residual connections are not"};
inline constexpr Message GemmFactor{"frontends.onnx.gemm_factor",
                                    "{} is {}, but quantised operands allow powers of two only",
                                    "fold the factor into the weights"};
inline constexpr Message Reshape{"frontends.onnx.reshape",
                                 "the shape {} is not the vector of all {} elements",
                                 "maps can be flattened, nothing else"};
inline constexpr Message Normalization{"frontends.onnx.normalization",
                                       "channel {} has no finite scale and offset: variance {}",
                                       "check the training"};
inline constexpr Message NormalizationQuantised{
    "frontends.onnx.normalization_quantised",
    "its {} is quantised; then mean must be 0 and variance + epsilon 1",
    "leave the normalisation's parameters real"};

// Writing.
inline constexpr Message ExportPorts{"frontends.onnx.export_ports",
                                     "the graph has {} inputs and {} outputs, expected one of each",
                                     "write one network a file"};
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
