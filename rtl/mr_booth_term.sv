// SPDX-License-Identifier: Apache-2.0
// Multiplies a number with a Booth digit in half a row of LUTs: y = d * x, less 1 where the digit's
// bit 2 is set, modulo 2^Width. Whoever adds the term up adds that bit, as a carry.
//
//   x_i     the number, sign-extended to Width bits by whoever instantiates
//   code_i  chooses one of the four digits of the parameter Digits
//   y_o     the term; exact where it fits into Width bits
//
// A digit is three bits, d = digit[1] + digit[0] - 2 * digit[2].
// Golden model: dataflow::BoothTermNode; tests/rtl/booth_test.cpp proves that both forms give it.
//
// Combinational. (Width + 1) / 2 LUTs: two neighbouring bits read three bits of x and the code, and
// share a LUT of two outputs.

`include "mr_assert.svh"
`default_nettype none

module mr_booth_term #(
  parameter int          Width     = 8,                         // >= 1
  parameter logic [11:0] Digits    = {3'd6, 3'd4, 3'd2, 3'd0},  // of code 0: the lowest bits
`ifdef SYNTHESIS
  parameter bit          Primitive = 1                          // LUT6_2 of the vendor's library
`else
  parameter bit          Primitive = 0
`endif
) (
  input  wire  [Width-1:0] x_i,
  input  wire  [1:0]       code_i,
  output logic [Width-1:0] y_o
);

  `MR_ASSERT_STATIC(WidthInRange, Width >= 1)

  if (Primitive) begin : gen_primitive
    // A digit's bit from {I2, I1, I0} = three bits of x, the lowest below the lower output's: the
    // lower output reads I1 and I0, the upper one I2 and I1.
    localparam logic [63:0] Lower = {8'hFF, 8'h33, 8'h33, 8'h55, 8'hAA, 8'hCC, 8'hCC, 8'h00};
    localparam logic [63:0] Upper = {8'hFF, 8'h0F, 8'h0F, 8'h33, 8'hCC, 8'hF0, 8'hF0, 8'h00};
    localparam logic [31:0] LowerOfCode = {Lower[8*Digits[11:9] +: 8], Lower[8*Digits[8:6] +: 8],
                                           Lower[8*Digits[5:3] +: 8], Lower[8*Digits[2:0] +: 8]};
    localparam logic [31:0] UpperOfCode = {Upper[8*Digits[11:9] +: 8], Upper[8*Digits[8:6] +: 8],
                                           Upper[8*Digits[5:3] +: 8], Upper[8*Digits[2:0] +: 8]};
    localparam int Pairs = (Width + 1) / 2;
    logic [2*Pairs:0]   around;
    logic [2*Pairs-1:0] bits;
    if (2 * Pairs > Width) begin : gen_odd
      assign around = {1'b0, x_i, 1'b0};
    end else begin : gen_even
      assign around = {x_i, 1'b0};
    end
    for (genvar i = 0; i < Pairs; i = i + 1) begin : gen_pair
      LUT6_2 #(.INIT({UpperOfCode, LowerOfCode})) u_lut (
        .O6(bits[2*i+1]), .O5(bits[2*i]),
        .I0(around[2*i]), .I1(around[2*i+1]), .I2(around[2*i+2]),
        .I3(code_i[0]), .I4(code_i[1]), .I5(1'b1)
      );
    end
    logic unused;
    assign y_o    = bits[Width-1:0];
    assign unused = ^bits;
  end else begin : gen_behavioural
    logic [2:0]       digit;
    logic [Width-1:0] magnitude;
    assign digit = Digits[3*code_i +: 3];
    always_comb begin
      case (digit)
        3'b000, 3'b111: magnitude = '0;
        3'b011, 3'b100: magnitude = x_i << 1;
        default:        magnitude = x_i;
      endcase
    end
    assign y_o = digit[2] ? ~magnitude : magnitude;
  end

endmodule : mr_booth_term

`default_nettype wire
