// SPDX-License-Identifier: Apache-2.0
// One of two words.
//
//   y_o  a_i where choose_a_i is 1, else b_i
//
// Golden model: the conditional operator; tests/rtl/choice_test.cpp proves that both forms below
// give it.
//
// Combinational. Width / 2 LUTs, rounded up: two bits read five signals. Yosys gives each bit a LUT
// of its own, and where a choice decides about the next one it takes still more of them for speed.

`include "mr_assert.svh"
`default_nettype none

module mr_choice #(
  parameter int Width     = 8,  // >= 1
`ifdef SYNTHESIS
  parameter bit Primitive = 1   // LUT6_2 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
) (
  input  wire              choose_a_i,
  input  wire  [Width-1:0] a_i,
  input  wire  [Width-1:0] b_i,
  output logic [Width-1:0] y_o
);

  `MR_ASSERT_STATIC(WidthInRange, Width >= 1)

  if (Primitive) begin : gen_primitive
    // With the inputs {I4, I3, I2, I1, I0} = {upper b, upper a, lower b, lower a, choose_a_i}.
    localparam logic [31:0] Lower = {4{8'hD8}};
    localparam logic [31:0] Upper = {8'hFF, 8'h55, 8'hAA, 8'h00};
    localparam int Pairs = (Width + 1) / 2;
    logic [2*Pairs-1:0] a;
    logic [2*Pairs-1:0] b;
    logic [2*Pairs-1:0] y;
    logic               unused;
    assign a = (2 * Pairs)'(a_i);
    assign b = (2 * Pairs)'(b_i);
    for (genvar i = 0; i < Pairs; i = i + 1) begin : gen_pair
      LUT6_2 #(.INIT({Upper, Lower})) u_lut (
        .O6(y[2*i+1]), .O5(y[2*i]),
        .I0(choose_a_i), .I1(a[2*i]), .I2(b[2*i]), .I3(a[2*i+1]), .I4(b[2*i+1]), .I5(1'b1)
      );
    end
    assign y_o    = y[Width-1:0];
    assign unused = ^y;
  end else begin : gen_behavioural
    assign y_o = choose_a_i ? a_i : b_i;
  end

endmodule : mr_choice

`default_nettype wire
