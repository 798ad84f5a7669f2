// SPDX-License-Identifier: Apache-2.0
// A model of the DSP48E2 for tests: its multiplier and its adder, as AMD UG579 describes them, with
// registers as the parameters say. No pre-adder, no pattern detector, no cascades of operands, no
// clock enables but 1: what else an instance asks for ends the simulation.
`default_nettype none

module DSP48E2 #(
  parameter integer AREG = 1,
  parameter integer BREG = 1,
  parameter integer CREG = 1,
  parameter integer DREG = 1,
  parameter integer ADREG = 1,
  parameter integer MREG = 1,
  parameter integer PREG = 1,
  parameter integer ALUMODEREG = 1,
  parameter integer CARRYINREG = 1,
  parameter integer CARRYINSELREG = 1,
  parameter integer INMODEREG = 1,
  parameter integer OPMODEREG = 1
) (
  input  wire        CLK,
  input  wire [29:0] A,
  input  wire [17:0] B,
  input  wire [47:0] C,
  input  wire [26:0] D,
  input  wire [47:0] PCIN,
  output wire [47:0] P,
  output wire [47:0] PCOUT,
  input  wire [8:0]  OPMODE,
  input  wire [3:0]  ALUMODE,
  input  wire [4:0]  INMODE,
  input  wire [2:0]  CARRYINSEL,
  input  wire        CARRYIN,
  input  wire [29:0] ACIN,
  input  wire [17:0] BCIN,
  input  wire        CARRYCASCIN, MULTSIGNIN,
  input  wire        CEA1, CEA2, CEB1, CEB2, CEC, CED, CEAD, CEM, CEP,
  input  wire        CEALUMODE, CECARRYIN, CECTRL, CEINMODE,
  input  wire        RSTA, RSTB, RSTC, RSTD, RSTM, RSTP,
  input  wire        RSTALLCARRYIN, RSTALUMODE, RSTCTRL, RSTINMODE
);

  reg signed [26:0] a_q;
  reg signed [17:0] b_q;
  reg signed [44:0] m_q;
  reg        [47:0] p_q;

  wire signed [26:0] a = AREG == 0 ? A[26:0] : a_q;
  wire signed [17:0] b = BREG == 0 ? B : b_q;
  wire signed [44:0] product = a * b;
  wire signed [44:0] m = MREG == 0 ? product : m_q;

  // OPMODE[3:0] = 0101: X and Y are the multiplier's partial products, whose sum is the product.
  wire [47:0] xy = OPMODE[3:0] == 4'b0101 ? {{3{m[44]}}, m} : 48'd0;
  wire [47:0] z = OPMODE[6:4] == 3'b001 ? PCIN : OPMODE[6:4] == 3'b010 ? p_q : 48'd0;
  wire [47:0] sum = z + xy;

  assign P = PREG == 0 ? sum : p_q;
  assign PCOUT = P;

  always @(posedge CLK) begin
    a_q <= A[26:0];
    b_q <= B;
    m_q <= product;
    p_q <= sum;
  end

  wire is_modelled =
      (OPMODE[3:0] == 4'b0101 || OPMODE[3:0] == 4'b0000) && OPMODE[8:7] == 2'b00 &&
      (OPMODE[6:4] == 3'b000 || OPMODE[6:4] == 3'b001 || OPMODE[6:4] == 3'b010) &&
      AREG < 2 && BREG < 2 && OPMODEREG == 0 && ALUMODEREG == 0 && INMODEREG == 0 &&
      CARRYINREG == 0 && CARRYINSELREG == 0 && ALUMODE == 4'd0 && INMODE == 5'd0 &&
      CARRYINSEL == 3'd0 && !CARRYIN && CEA2 && CEB2 && CEM && CEP &&
      !(RSTA || RSTB || RSTM || RSTP);
  always @(posedge CLK) begin
    if (!is_modelled) begin
      $display("dsp48e2.v: a use of the block that this model does not know");
      $finish;
    end
  end

  wire unused = ^{C, D, ACIN, BCIN, A[29:27], CARRYCASCIN, MULTSIGNIN, CEA1, CEB1, CEC, CED, CEAD,
                  CEALUMODE, CECARRYIN, CECTRL, CEINMODE, RSTC, RSTD, RSTALLCARRYIN, RSTALUMODE,
                  RSTCTRL, RSTINMODE, CREG, DREG, ADREG};

endmodule

`default_nettype wire
