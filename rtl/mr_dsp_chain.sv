// SPDX-License-Identifier: Apache-2.0
// A sum of products in a cascade of DSP blocks, each of which adds its product to the sum of those
// before it:
//
//   p_o = x[0] * w[0] + ... + x[Blocks-1] * w[Blocks-1], modulo 2^PBits
//
//   x_i, w_i  signed operands, those of block 0 lowest; block k takes its own k cycles after block
//             0 takes those of the same sum
//
// Golden model: dataflow::DspChain; tests/rtl/dsp_chain_test.cpp compares both forms below with it.
//
// Latency 3 cycles from the last block's operands: registers before the multiplier, behind it, and
// behind the adder; Blocks + 2 cycles from the first's. Throughput 1 sum/cycle. Blocks DSP48E2,
// and nothing beside them. All of their registers on the way are in use, for the highest clock;
// they are never held and never reset.

`include "mr_assert.svh"
`default_nettype none

module mr_dsp_chain #(
  parameter int Blocks    = 1,   // >= 1
  parameter int XBits     = 18,  // 1 to 18
  parameter int WBits     = 27,  // 1 to 27
  parameter int PBits     = 48,  // 1 to 48
`ifdef SYNTHESIS
  parameter bit Primitive = 1    // DSP48E2 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
) (
  input  wire                     clk_i,
  input  wire  [Blocks*XBits-1:0] x_i,
  input  wire  [Blocks*WBits-1:0] w_i,
  output logic [PBits-1:0]        p_o
);

  `MR_ASSERT_STATIC(SizesInRange, Blocks >= 1 && XBits >= 1 && XBits <= 18 && WBits >= 1 &&
                    WBits <= 27 && PBits >= 1 && PBits <= 48)

  logic [47:0] last;
  logic        unused;
  assign p_o    = last[PBits-1:0];
  assign unused = ^last;

  if (Primitive) begin : gen_primitive
    localparam logic [8:0] Product    = 9'b00_000_01_01;  // W, Z = 0; X and Y: the multiplier's
    localparam logic [8:0] AddCascade = 9'b00_001_01_01;  // Z = PCIN

    logic [48*Blocks-1:0] cascade;
    logic [48*Blocks-1:0] p;
    logic                 unused_p;
    assign last     = p[48*(Blocks-1) +: 48];
    assign unused_p = ^{p, cascade};
    for (genvar k = 0; k < Blocks; k = k + 1) begin : gen_block
      logic signed [29:0] a;
      logic signed [17:0] b;
      logic        [47:0] below;
      assign a = 30'($signed(w_i[k*WBits +: WBits]));
      assign b = 18'($signed(x_i[k*XBits +: XBits]));
      if (k == 0) begin : gen_first
        assign below = '0;
      end else begin : gen_next
        assign below = cascade[48*(k-1) +: 48];
      end
      DSP48E2 #(
        .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
      ) u_dsp (
        .CLK(clk_i), .A(a), .B(b), .C({48{1'b1}}), .D(27'd0),
        .PCIN(below), .PCOUT(cascade[48*k +: 48]), .P(p[48*k +: 48]),
        .OPMODE(k == 0 ? Product : AddCascade),
        .ALUMODE(4'd0), .INMODE(5'd0), .CARRYIN(1'b0), .CARRYINSEL(3'd0),
        .ACIN(30'd0), .BCIN(18'd0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
        .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b0), .CEB2(1'b1), .CEM(1'b1), .CEP(1'b1),
        .CEC(1'b0), .CED(1'b0), .CEAD(1'b0), .CEALUMODE(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0),
        .CEINMODE(1'b0),
        .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0),
        .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0)
      );
    end
  end else begin : gen_behavioural
    logic [48*Blocks-1:0] p_q;
    assign last = p_q[48*(Blocks-1) +: 48];
    for (genvar k = 0; k < Blocks; k = k + 1) begin : gen_block
      logic signed [WBits-1:0] w_q;
      logic signed [XBits-1:0] x_q;
      logic signed [47:0]      m_q;
      logic        [47:0]      below;
      if (k == 0) begin : gen_first
        assign below = '0;
      end else begin : gen_next
        assign below = p_q[48*(k-1) +: 48];
      end
      always_ff @(posedge clk_i) begin
        w_q <= w_i[k*WBits +: WBits];
        x_q <= x_i[k*XBits +: XBits];
        // Where the weight is 0, x may be undefined: an element that does not count.
        m_q <= w_q == '0 ? '0 : 48'(w_q) * 48'(x_q);
        p_q[48*k +: 48] <= below + m_q;
      end
    end
  end

endmodule : mr_dsp_chain

`default_nettype wire
