// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a training run.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::train::messages {

inline constexpr Message NoTrainer{
    "train.no_trainer", "the trainer, millrace-train, is not installed",
    "install LibTorch (apt-get install libtorch-dev), build Millrace with -DMILLRACE_TRAIN=ON and "
    "keep millrace-train beside millrace or on PATH"};
inline constexpr Message TrainerFailed{
    "train.trainer_failed", "the trainer ended with exit code {} and without a result: {}",
    "run the trainer alone to see what it says; its libraries may be missing"};
inline constexpr Message BadRequest{"train.bad_request", "the request is not understood: {}",
                                    "millrace-train takes one argument, a JSON object; "
                                    "use 'millrace train' instead"};
inline constexpr Message UnknownNetwork{"train.unknown_network", "there is no network '{}'",
                                        "the networks are: letters"};
inline constexpr Message BadQuantizer{
    "train.bad_quantizer", "'{}' is not a quantiser",
    "write 'fixed<9,5>', 'quantized_bits(9,4)' (the same) or 'float'"};
inline constexpr Message QuantizerRange{
    "train.quantizer_range", "'{}': {} bits of which {} are integer bits",
    "the trainer takes 2 to 16 bits, of which 1 (the sign) to all are integer bits"};
inline constexpr Message BadEpochs{"train.bad_epochs", "{} epochs", "give 1 to 10000 epochs"};
inline constexpr Message BadSparsity{"train.bad_sparsity", "a sparsity of {}",
                                     "give 0 (off) to 100"};
inline constexpr Message WrongImageSize{"train.wrong_image_size",
                                        "images of {} x {} pixels; the network reads {} x {}",
                                        "choose a data set with images of that size"};
inline constexpr Message TooFewImages{
    "train.too_few_images", "{} {} images of class '{}' are too few to train and validate with",
    "each class needs at least 10 training images and 1 test image"};
inline constexpr Message NoOutput{"train.no_output", "no file to write the network to",
                                  "name one with --output"};

}  // namespace millrace::train::messages
