// SPDX-License-Identifier: Apache-2.0
// An AXI4-Stream input of a circuit that knows no back-pressure: holds each frame back until it is
// admitted, then takes it to its end without back-pressure.
//
//   s_axis_*   beats of frames; tlast is not needed: a frame has Beats beats
//   core_*     the circuit's fixed-latency input
//
// Latency 0. Throughput 1 beat/cycle.

`include "mr_assert.svh"
`default_nettype none

module mr_axis_in #(
  parameter int Bits     = 8,   // of a beat
  parameter int Beats    = 16,  // of a frame, >= 1
  localparam int Bytes   = (Bits + 7) / 8
) (
  input  wire                clk_i,
  input  wire                rst_i,  // synchronous, active high

  input  wire                s_axis_tvalid,
  output logic               s_axis_tready,
  input  wire  [Bytes*8-1:0] s_axis_tdata,  // a beat in the low bits

  input  wire                admit_i,  // a frame may begin
  output logic               begin_o,  // the first beat of a frame is taken
  output logic               end_o,    // the last beat of a frame is taken

  output logic               core_valid_o,
  output logic [Bits-1:0]    core_data_o
);

  localparam int BeatBits = Beats > 1 ? $clog2(Beats) : 1;

  `MR_ASSERT_STATIC(SizesInRange, Bits >= 1 && Beats >= 1)

  logic [BeatBits-1:0] beat_q;
  logic                is_first;

  assign is_first      = beat_q == '0;
  assign s_axis_tready = !is_first || admit_i;
  assign core_valid_o  = s_axis_tvalid && s_axis_tready;
  assign core_data_o   = s_axis_tdata[Bits-1:0];
  assign begin_o       = core_valid_o && is_first;
  assign end_o         = core_valid_o && beat_q == BeatBits'(Beats - 1);

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (core_valid_o) beat_q <= end_o ? '0 : beat_q + BeatBits'(1);
  end

  if (Bytes * 8 > Bits) begin : gen_unused
    logic unused;
    assign unused = ^s_axis_tdata[Bytes*8-1:Bits];
  end

endmodule : mr_axis_in

`default_nettype wire
