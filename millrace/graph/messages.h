// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a graph. The codes "graph.OPERATION_cN" are the numbered constraints of
// the operations' headers.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::graph::messages {

// Every tensor (tensor_type.h).
inline constexpr Message TensorC1{
    "graph.tensor_c1", "a raw value of {} does not fit a signed 64-bit integer",
    "use at most 64 bits signed or 63 bits unsigned, and at most 1024 fraction bits"};
inline constexpr Message TensorC2{"graph.tensor_c2", "{} is not a tensor that Millrace handles",
                                  "use 1 to 4 extents of at least 1, with at most 2^28 elements"};

// Operations (ops/).
inline constexpr Message InputC1{"graph.input_c1", "an input has rank 1 or 3, not {}",
                                 "give the input as a vector or as height x width x channels"};
inline constexpr Message InputC2{"graph.input_c2", "an input takes no operands, {} are given",
                                 "remove the operands"};
inline constexpr Message ConstantC1{"graph.constant_c1",
                                    "{} values are given for a constant of type {}",
                                    "give one value for each element of the shape"};
inline constexpr Message ConstantC2{"graph.constant_c2",
                                    "value {} of the constant is not one of {}",
                                    "use raw integers in the type's range, or finite real numbers"};
inline constexpr Message ConstantC3{
    "graph.constant_c3", "a constant takes no operands, {} are given", "remove the operands"};
inline constexpr Message RequantizeC1{
    "graph.requantize_c1", "requantize takes one operand, {} are given", "give exactly one value"};
inline constexpr Message RequantizeC2{"graph.requantize_c2",
                                      "{} {} are given for the channels or the elements of {}",
                                      "give one, one for each channel, or one for each element"};
inline constexpr Message RequantizeC3{
    "graph.requantize_c3", "the result's type is {}, but the types have {} in common",
    "give the narrowest type that holds every number of each of the types"};
inline constexpr Message RequantizeC4{"graph.requantize_c4",
                                      "a step of {} is not a finite number above 0",
                                      "give the number that one unit of the result stands for"};
inline constexpr Message InputC3{"graph.input_c3", "a step of {} is not a finite number above 0",
                                 "give the number that one unit of the input stands for"};
inline constexpr Message Conv2DC1{
    "graph.conv2d_c1", "conv2d takes x of rank 3, w of rank 4 and b of rank 1, not ({})",
    "give the map, the weights (kernel height x width x channels x filters) and the bias"};
inline constexpr Message Conv2DC2{"graph.conv2d_c2",
                                  "the weights {} and the bias {} do not fit the map {} and a "
                                  "kernel of {}x{}",
                                  "make channels, filters and kernel extents agree"};
inline constexpr Message Conv2DC3{
    "graph.conv2d_c3", "stride, dilation or padding of the {}x{} kernel is out of range",
    "use strides and dilations of at least 1 and paddings of at least 0 that are less than the "
    "dilated kernel"};
inline constexpr Message Conv2DC4{"graph.conv2d_c4",
                                  "the {}x{} kernel does not fit the padded map {}",
                                  "use a smaller kernel or more padding"};
inline constexpr Message Conv2DC5{"graph.conv2d_c5",
                                  "the sums of this convolution need more than 64 bits",
                                  "quantise the map, the weights or the bias to fewer bits"};
inline constexpr Message Conv2DC6{"graph.conv2d_c6",
                                  "{} groups do not divide {} channels and {} filters",
                                  "choose groups that divide both"};
inline constexpr Message Conv2DC7{"graph.conv2d_c7",
                                  "the products of this convolution need more than {} bits",
                                  "quantise the map or the weights to fewer bits"};
inline constexpr Message DenseC1{
    "graph.dense_c1", "dense takes x of rank 1, w of rank 2 and b of rank 1, not ({})",
    "flatten the map; give the weights (inputs x outputs) and the bias"};
inline constexpr Message DenseC2{"graph.dense_c2",
                                 "the weights {} and the bias {} do not fit the vector {}",
                                 "make the numbers of inputs and outputs agree"};
inline constexpr Message DenseC3{"graph.dense_c3",
                                 "the sums of this dense layer need more than 64 bits",
                                 "quantise the input, the weights or the bias to fewer bits"};
inline constexpr Message DenseC4{"graph.dense_c4",
                                 "the products of this dense layer need more than {} bits",
                                 "quantise the input or the weights to fewer bits"};
inline constexpr Message AffineC1{
    "graph.affine_c1", "affine takes x and a scale and an offset for each channel of x, not ({})",
    "give a scale and an offset with as many elements as x's last extent"};
inline constexpr Message AffineC2{"graph.affine_c2",
                                  "the results of this affine operation need more than 64 bits",
                                  "quantise the input, the scale or the offset to fewer bits"};
inline constexpr Message ReluC1{"graph.relu_c1", "relu takes one operand, {} are given",
                                "give exactly one value"};
inline constexpr Message MaxPoolC1{"graph.max_pool_c1",
                                   "max_pool takes one operand of rank 3, not ({})",
                                   "give a map of height x width x channels"};
inline constexpr Message MaxPoolC2{
    "graph.max_pool_c2", "kernel {}x{}, stride, dilation or padding of the pooling is out of range",
    "use kernels, strides and dilations of at least 1 and paddings that are less than the dilated "
    "kernel"};
inline constexpr Message MaxPoolC3{"graph.max_pool_c3",
                                   "the {}x{} kernel does not fit the padded map {}",
                                   "use a smaller kernel or more padding"};
inline constexpr Message MaxPoolC4{
    "graph.max_pool_c4",
    "dilation {}x{} lets a window step over the map {} from padding to padding",
    "use less dilation or less padding"};
inline constexpr Message AvgPoolC1{"graph.avg_pool_c1",
                                   "avg_pool takes one operand of rank 3, not ({})",
                                   "give a map of height x width x channels"};
inline constexpr Message AvgPoolC2{
    "graph.avg_pool_c2", "kernel {}x{}, stride, dilation or padding of the pooling is out of range",
    "use kernels, strides and dilations of at least 1 and paddings that are less than the dilated "
    "kernel"};
inline constexpr Message AvgPoolC3{"graph.avg_pool_c3",
                                   "the {}x{} kernel does not fit the padded map {}",
                                   "use a smaller kernel or more padding"};
inline constexpr Message AvgPoolC4{
    "graph.avg_pool_c4",
    "dilation {}x{} lets a window step over the map {} from padding to padding",
    "use less dilation or less padding"};
inline constexpr Message AvgPoolC5{"graph.avg_pool_c5",
                                   "the mean of real numbers cannot be rounded once to {}",
                                   "quantise the value before the pooling"};
inline constexpr Message AvgPoolC6{
    "graph.avg_pool_c6",
    "this mean cannot accumulate: it needs a quantiser whose fraction "
    "bits are at most {} more or fewer than its operand's",
    "give another fixed-point type, or leave accumulate out"};
inline constexpr Message ConcatC1{
    "graph.concat_c1",
    "concat takes at least two operands that differ in their last extent only, not ({})",
    "give maps of one height and width, or vectors"};
inline constexpr Message ConcatC2{"graph.concat_c2",
                                  "no type of 64 bits holds every number of ({})",
                                  "quantise the operands to fewer bits or to nearer binary points"};
inline constexpr Message ConvTranspose2DC1{
    "graph.conv_transpose2d_c1",
    "conv_transpose2d takes x of rank 3, w of rank 4 and b of rank 1, not ({})",
    "give the map, the weights (kernel height x width x channels x filters) and the bias"};
inline constexpr Message ConvTranspose2DC2{
    "graph.conv_transpose2d_c2",
    "the weights {} and the bias {} do not fit the map {} and a kernel of {}x{}",
    "make channels, filters and kernel extents agree"};
inline constexpr Message ConvTranspose2DC3{
    "graph.conv_transpose2d_c3", "stride or padding of the {}x{} kernel is out of range",
    "use strides of at least 1, and paddings that are less than the kernel and at least 0, at the "
    "bottom and on the right at least 1 - stride"};
inline constexpr Message ConvTranspose2DC4{"graph.conv_transpose2d_c4",
                                           "the paddings leave nothing of the map that {} gives",
                                           "use less padding"};
inline constexpr Message ConvTranspose2DC5{
    "graph.conv_transpose2d_c5", "the sums of this convolution need more than 64 bits",
    "quantise the map, the weights or the bias to fewer bits"};
inline constexpr Message PadC1{"graph.pad_c1", "pad takes one operand of rank 3, not ({})",
                               "give a map of height x width x channels"};
inline constexpr Message PadC2{"graph.pad_c2", "a padding of [{}, {}, {}, {}] is out of range",
                               "use paddings from 0 to 2^28"};
inline constexpr Message ReshapeC1{"graph.reshape_c1",
                                   "reshape takes one operand of rank 1 to 3, not ({})",
                                   "give exactly one value"};
inline constexpr Message ReshapeC2{"graph.reshape_c2",
                                   "the shape '{}' does not take the elements of {}",
                                   "give 1 to 3 extents whose product is the number of elements"};
inline constexpr Message SliceC1{"graph.slice_c1",
                                 "slice takes one operand of rank 1 or 3, not ({})",
                                 "give a map of height x width x channels, or a vector"};
inline constexpr Message SliceC2{
    "graph.slice_c2", "the part of size '{}' that begins at '{}' does not lie in {}",
    "give a begin and a size for each extent, the part inside the tensor"};
inline constexpr Message TransposeC1{"graph.transpose_c1",
                                     "transpose takes one operand of rank 3, not ({})",
                                     "give a map of height x width x channels"};
inline constexpr Message TransposeC2{"graph.transpose_c2",
                                     "[{}, {}, {}] is not a permutation of three axes",
                                     "give 0, 1 and 2, each once"};
inline constexpr Message UpsampleC1{"graph.upsample_c1",
                                    "upsample takes one operand of rank 3, not ({})",
                                    "give a map of height x width x channels"};
inline constexpr Message UpsampleC2{"graph.upsample_c2", "factors {}x{} are out of range",
                                    "use factors from 1 to 2^28"};
inline constexpr Message FlattenC1{"graph.flatten_c1", "flatten takes one operand, {} are given",
                                   "give exactly one value"};
inline constexpr Message BinaryC1{
    "graph.binary_c1", "{} takes two operands, the second of the same shape or repeated, not ({})",
    "make the shapes equal, or give the second one element a channel, a place, or one in all"};
inline constexpr Message BinaryC2{"graph.binary_c2", "the results of {} need more than 64 bits",
                                  "quantise the operands to fewer bits"};
inline constexpr Message PreluC1{
    "graph.prelu_c1", "prelu takes x and an alpha for each channel of x, or one for all, not ({})",
    "give an alpha of rank 1 with as many elements as x's last extent, or 1"};
inline constexpr Message PreluC2{"graph.prelu_c2",
                                 "the results of this prelu need more than 64 bits",
                                 "quantise the input or alpha to fewer bits"};
inline constexpr Message ExactC1{"graph.exact_c1", "{} takes one operand, {} are given",
                                 "give exactly one value"};
inline constexpr Message ExactC2{"graph.exact_c2", "the results of {} need more than 64 bits",
                                 "quantise the operand to fewer bits"};
inline constexpr Message UnaryC1{"graph.unary_c1", "{} takes one operand, {} are given",
                                 "give exactly one value"};
inline constexpr Message UnaryC2{
    "graph.unary_c2", "alpha or beta of {} is out of range, or is not a parameter of it",
    "use 0 or a magnitude from 2^-30 to 2^30, and only where the function has the parameter"};
inline constexpr Message ReduceC1{"graph.reduce_c1", "reduce takes one operand, {} are given",
                                  "give exactly one value"};
inline constexpr Message ReduceC2{"graph.reduce_c2",
                                  "the sums of {} channels need more than 64 bits",
                                  "quantise the operand to fewer bits"};
inline constexpr Message TopKC1{"graph.top_k_c1", "top_k takes one operand, {} are given",
                                "give exactly one value"};
inline constexpr Message TopKC2{"graph.top_k_c2", "k = {} is out of range for {} channels",
                                "use a k from 1 to the last extent"};
inline constexpr Message SoftmaxC1{"graph.softmax_c1", "softmax takes one operand, {} are given",
                                   "give exactly one value"};
inline constexpr Message TableC1{
    "graph.table_c1", "a table takes one fixed-point operand of at most 16 bits, not ({})",
    "quantise the value before the table to at most 16 bits"};
inline constexpr Message TableC2{"graph.table_c2", "a table of {} has {} entries, not {}",
                                 "give one entry for each raw integer of the operand's type"};
inline constexpr Message TableC3{"graph.table_c3", "entry {} of the table is not one of {}",
                                 "use raw integers in the range of the result's type"};

// The graph as a whole (graph.h).
inline constexpr Message NoInput{"graph.no_input", "graph '{}' has no input",
                                 "give the network at least one input"};
inline constexpr Message NoOutput{"graph.no_output", "graph '{}' has no output",
                                  "name at least one value as an output"};
inline constexpr Message BadName{"graph.bad_name", "'{}' is not a name, or is taken",
                                 "use letters, digits, '_' and '.', and each name once"};
inline constexpr Message BadReference{"graph.bad_reference",
                                      "value {} is used where it is not defined",
                                      "use values that operations further up define"};
inline constexpr Message TypeDiffers{"graph.type_differs",
                                     "the type is given as {} but follows to be {}",
                                     "correct the type, or what it follows from"};

// The text form (text.h).
inline constexpr Message Syntax{"graph.syntax", "expected {}, found {}",
                                "see the text form in millrace/graph/text.h"};
inline constexpr Message UnknownOperation{"graph.unknown_operation", "there is no operation '{}'",
                                          "use one of the operations in millrace/graph/ops"};
inline constexpr Message UnknownValue{"graph.unknown_value", "there is no value '%{}' above",
                                      "define the value before its first use"};
inline constexpr Message DuplicateValue{"graph.duplicate_value", "'%{}' is defined twice",
                                        "give each value a name of its own"};
inline constexpr Message UnknownAttribute{"graph.unknown_attribute", "{} has no attribute '{}'",
                                          "remove the attribute or correct its name"};
inline constexpr Message DuplicateAttribute{
    "graph.duplicate_attribute", "attribute '{}' is given twice", "give each attribute once"};
inline constexpr Message MissingAttribute{"graph.missing_attribute", "{} needs the attribute '{}'",
                                          "give the attribute"};
inline constexpr Message BadNumber{"graph.bad_number", "'{}' is not {}", "correct the number"};
inline constexpr Message BadMode{"graph.bad_mode", "there is no {} mode '{}'",
                                 "use ap_fixed's modes: TRN, TRN_ZERO, RND, RND_ZERO, RND_MIN_INF, "
                                 "RND_INF, RND_CONV; WRAP, SAT, SAT_ZERO, SAT_SYM, WRAP_SM"};
inline constexpr Message BadFunction{"graph.bad_function", "there is no {} function '{}'",
                                     "use one of the functions that the operation's header in "
                                     "millrace/graph/ops names"};
inline constexpr Message NotFixed{"graph.not_fixed", "{} gives fixed-point numbers, not {}",
                                  "give a fixed-point type behind the colon"};

}  // namespace millrace::graph::messages
