// SPDX-License-Identifier: Apache-2.0
// Everything that can be wrong with a Keras model.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::frontends::keras::messages {

// The files.
inline constexpr Message NotKeras{"frontends.keras.not_keras", "this is not a Keras model",
                                  "give a .h5 or .keras file that model.save() wrote, or a .json "
                                  "file of model.to_json() with the weights beside it"};
inline constexpr Message Archive{"frontends.keras.archive", "the archive cannot be read: {}",
                                 "save the model again with model.save('model.keras')"};
inline constexpr Message ArchivePath{"frontends.keras.archive_path",
                                     "the archive holds '{}', a path that leads out of it",
                                     "do not trust this file; save the model again"};
inline constexpr Message ArchiveMember{"frontends.keras.archive_member", "the archive has no {}",
                                       "save the model again with model.save('model.keras')"};
inline constexpr Message TooLarge{"frontends.keras.too_large", "{} is larger than {}",
                                  "models of this size do not fit an FPGA; check the file"};
inline constexpr Message NotHdf5{"frontends.keras.not_hdf5",
                                 "this is not an HDF5 file, or it is cut short or damaged",
                                 "copy or save the file again"};
inline constexpr Message Damaged{"frontends.keras.damaged", "the file is damaged here",
                                 "copy or save the file again"};
inline constexpr Message Attribute{"frontends.keras.attribute", "the attribute is not text",
                                   "save the model again"};
inline constexpr Message NoConfig{"frontends.keras.no_config",
                                  "it holds weights, but no model (no attribute model_config)",
                                  "save the whole model, or give the .json file of "
                                  "model.to_json() and keep these weights beside it"};
inline constexpr Message NoWeightsFile{
    "frontends.keras.no_weights_file", "the model needs weights, and there is neither {} beside it",
    "put the file of model.save_weights() there, or name it with --weights"};
inline constexpr Message NoWeights{"frontends.keras.no_weights",
                                   "it holds no weights of layers in a form that Keras writes",
                                   "save the weights with model.save_weights() or model.save()"};
inline constexpr Message Json{"frontends.keras.json", "the configuration is not JSON",
                              "save the model again"};
inline constexpr Message JsonDepth{"frontends.keras.json_depth",
                                   "the configuration nests deeper than {} levels",
                                   "save the model again"};

// Arrays of numbers.
inline constexpr Message MissingArray{"frontends.keras.missing_array", "there is no such array",
                                      "save the model again"};
inline constexpr Message ArrayKind{"frontends.keras.array_type", "the array does not hold numbers",
                                   "use float32, float64 or integers"};
inline constexpr Message NotStored{
    "frontends.keras.not_stored", "the array's numbers are not in this file",
    "save the model again, into one file and without filters other than gzip"};
inline constexpr Message NotFinite{"frontends.keras.not_finite", "a number is {}",
                                   "check the training: weights must be finite"};
inline constexpr Message MissingWeight{"frontends.keras.missing_weight",
                                       "the weight '{}' is not in {}",
                                       "give the weights that belong to this model"};
inline constexpr Message ExtraWeight{"frontends.keras.extra_weight",
                                     "nothing is known of the weight '{}' in {}",
                                     "the layer does more than its class says: save it as a layer "
                                     "of Keras, QKeras or HGQ"};
inline constexpr Message DuplicateWeight{"frontends.keras.duplicate_weight",
                                         "the weight '{}' is there twice in {}",
                                         "save the model again"};
inline constexpr Message WeightShape{"frontends.keras.weight_shape",
                                     "the weight '{}' has the shape {}, expected {}",
                                     "give the weights that belong to this model"};

// The model's structure.
inline constexpr Message NotModel{"frontends.keras.not_model",
                                  "the configuration is of '{}', not of a Sequential or Functional "
                                  "model",
                                  "save a Sequential or functional model"};
inline constexpr Message NoLayers{"frontends.keras.no_layers", "the model has no layers",
                                  "save the model again"};
inline constexpr Message NoInput{"frontends.keras.no_input",
                                 "the model does not say which shape its input has",
                                 "start the model with one Input(shape=...)"};
inline constexpr Message LayerForm{"frontends.keras.layer_form",
                                   "a layer lacks its class, name, configuration or inputs",
                                   "save the model again"};
inline constexpr Message DuplicateLayer{"frontends.keras.duplicate_layer",
                                        "there are two layers of this name",
                                        "give every layer a name of its own"};
inline constexpr Message ModelWithin{"frontends.keras.model_within",
                                     "models as layers of models are not supported",
                                     "build one model of the layers of both"};
inline constexpr Message CallForm{"frontends.keras.call_form",
                                  "what it is called with is more than tensors of other layers",
                                  "use layers of Keras instead of operations on tensors, and no "
                                  "arguments such as mask or training"};
inline constexpr Message MissingCall{"frontends.keras.missing_call",
                                     "it reads layer '{}', call {}, which there is not",
                                     "save the model again"};
inline constexpr Message Ports{"frontends.keras.ports", "its {} are not a list of layers",
                               "save the model again"};
inline constexpr Message Cycle{"frontends.keras.cycle", "it depends on its own result",
                               "recurrent models must be unrolled"};
inline constexpr Message InputShape{"frontends.keras.input_shape",
                                    "the input's shape is {}, expected a free batch and one to "
                                    "three known extents",
                                    "build the model with Input(shape=...) of known extents"};
inline constexpr Message NumInputs{"frontends.keras.num_inputs", "it reads {} tensors, expected {}",
                                   "change the layer in the model"};

// Layers and their options.
inline constexpr Message UnknownLayer{"frontends.keras.unknown_layer",
                                      "layers of the class {} are not supported",
                                      "see docs/reference/keras.md for what is; replace it or cut "
                                      "the model before it"};
inline constexpr Message UnknownOption{"frontends.keras.unknown_option",
                                       "nothing is known of the option '{}'",
                                       "save the model with Keras' own layers"};
inline constexpr Message MissingOption{"frontends.keras.missing_option",
                                       "the option '{}' is missing", "save the model again"};
inline constexpr Message BadOption{"frontends.keras.option", "the option '{}' is {}, expected {}",
                                   "change the layer in the model"};
inline constexpr Message ChannelsFirst{"frontends.keras.channels_first",
                                       "its data_format is channels_first",
                                       "build the model with data_format='channels_last'; kernels "
                                       "need no change, weights behind Flatten another order"};
inline constexpr Message Arithmetic{"frontends.keras.arithmetic",
                                    "it computes in {}, which rounds every result",
                                    "save the model with the dtype float32"};
inline constexpr Message Rank{"frontends.keras.rank", "its input has the shape {}, expected {}",
                              "change the layer in the model"};
inline constexpr Message Shapes{"frontends.keras.shapes", "the shapes {} and {} do not fit",
                                "change the layer in the model"};
inline constexpr Message Window{"frontends.keras.window",
                                "the window {}x{} does not fit the map {}x{}",
                                "change the layer in the model"};
inline constexpr Message Normalization{"frontends.keras.normalization",
                                       "channel {} has no finite scale and offset: variance {}",
                                       "check the training"};
inline constexpr Message Activation{"frontends.keras.activation",
                                    "the activation '{}' is not supported",
                                    "see docs/reference/keras.md for what is"};
inline constexpr Message HardSigmoid{"frontends.keras.hard_sigmoid",
                                     "hard_sigmoid is 0.2x + 0.5 in Keras 2 and x/6 + 0.5 in Keras "
                                     "3, and nothing says which this is",
                                     "add the key keras_version to the .json file"};

// Quantisers.
inline constexpr Message UnknownQuantizer{"frontends.keras.unknown_quantizer",
                                          "the quantiser {} of {} is not supported",
                                          "see docs/reference/keras.md for what is"};
inline constexpr Message QuantizerForm{"frontends.keras.quantizer_form",
                                       "the quantiser '{}' of {} cannot be read",
                                       "write it as NAME(ARGUMENTS)"};
inline constexpr Message DataDependent{"frontends.keras.data_dependent",
                                       "the scale of {} depends on the data that passes through it",
                                       "use a number for alpha in quantisers of activations"};
inline constexpr Message Noise{"frontends.keras.qnoise",
                               "its qnoise_factor is {}: numbers are not fully quantised",
                               "train to the end of the schedule, where it is 1"};
inline constexpr Message QuantizerType{"frontends.keras.quantizer_type",
                                       "{} bits of which {} are integer bits are not a number "
                                       "format of 1 to 64 bits",
                                       "train with another width"};
inline constexpr Message TableEntry{"frontends.keras.table_entry",
                                    "entry {} of the table, {}, is not of the type {}",
                                    "export the proxy model again"};

}  // namespace millrace::frontends::keras::messages
