// SPDX-License-Identifier: Apache-2.0
// Stands between the AXI4-Stream wrapper of two_streams (cosim/testdata), which has two inputs and
// two outputs, and the ports that cosim/ drives. Sources pause and sinks stall at random, each by
// itself. An output beat is {tlast, tdata}. `AXIS_DISTURBED 0 leaves out pauses and stalls.

`include "mr_assert.svh"
`include "axis_streams_sizes.svh"
`default_nettype none

module axis_streams_tester (
  input  wire         clk_i,
  input  wire         rst_i,  // synchronous, active high
  input  wire         in_a_valid_i,
  input  wire  [7:0]  in_a_data_i,
  input  wire         in_b_valid_i,
  input  wire  [15:0] in_b_data_i,
  output logic        out_echo_valid_o,
  output logic [8:0]  out_echo_data_o,
  output logic        out_sum_valid_o,
  output logic [16:0] out_sum_data_o
);

  localparam int QueueDepth = 65536;

  logic [63:0] noise_q;
  logic [63:0] noise_a, noise_b, noise_d;
  assign noise_a = noise_q ^ (noise_q << 13);
  assign noise_b = noise_a ^ (noise_a >> 7);
  assign noise_d = noise_b ^ (noise_b << 17);

  // Stalls of different length: each sink's pace changes now and then.
  logic [1:0] echo_pace_q;  // 0 full rate, 1 half, 2 an eighth, 3 nothing
  logic [1:0] sum_pace_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      noise_q     <= 64'h9e3779b97f4a7c15 ^ 64'(in_a_data_i);
      echo_pace_q <= '0;
      sum_pace_q  <= '0;
    end else begin
      noise_q <= noise_d;
      if (noise_q[5:0] == '0) echo_pace_q <= noise_q[7:6];
      if (noise_q[13:8] == '0) sum_pace_q <= noise_q[15:14];
    end
  end

  function automatic logic idles(input logic [1:0] pace, input logic [2:0] chance);
    idles = pace == 2'd3 || (pace == 2'd2 && chance != 3'd0) || (pace == 2'd1 && chance[0]);
  endfunction

  logic        s_axis_a_tvalid, s_axis_a_tready;
  logic        s_axis_b_tvalid, s_axis_b_tready;
  logic [7:0]  s_axis_a_tdata;
  logic [15:0] s_axis_b_tdata;
  logic        m_axis_echo_tvalid, m_axis_echo_tready, m_axis_echo_tlast;
  logic        m_axis_sum_tvalid, m_axis_sum_tready, m_axis_sum_tlast;
  logic [7:0]  m_axis_echo_tdata;
  logic [15:0] m_axis_sum_tdata;

  axis_source #(
    .Bits(8),
    .QueueDepth(QueueDepth),
    .Pauses(`AXIS_DISTURBED)
  ) u_source_a (
    .clk_i,
    .rst_i,
    .noise_i(noise_q[31:16]),
    .in_valid_i(in_a_valid_i),
    .in_data_i(in_a_data_i),
    .m_axis_tvalid(s_axis_a_tvalid),
    .m_axis_tready(s_axis_a_tready),
    .m_axis_tdata(s_axis_a_tdata)
  );

  axis_source #(
    .Bits(16),
    .QueueDepth(QueueDepth),
    .Pauses(`AXIS_DISTURBED)
  ) u_source_b (
    .clk_i,
    .rst_i,
    .noise_i(noise_q[47:32]),
    .in_valid_i(in_b_valid_i),
    .in_data_i(in_b_data_i),
    .m_axis_tvalid(s_axis_b_tvalid),
    .m_axis_tready(s_axis_b_tready),
    .m_axis_tdata(s_axis_b_tdata)
  );

  assign m_axis_echo_tready = !(`AXIS_DISTURBED != 0 && idles(echo_pace_q, noise_q[50:48]));
  assign m_axis_sum_tready  = !(`AXIS_DISTURBED != 0 && idles(sum_pace_q, noise_q[53:51]));
  assign out_echo_valid_o   = m_axis_echo_tvalid && m_axis_echo_tready;
  assign out_echo_data_o    = {m_axis_echo_tlast, m_axis_echo_tdata};
  assign out_sum_valid_o    = m_axis_sum_tvalid && m_axis_sum_tready;
  assign out_sum_data_o     = {m_axis_sum_tlast, m_axis_sum_tdata};

  two_streams_axis u_dut (
    .clk_i,
    .rst_i,
    .s_axis_a_tvalid,
    .s_axis_a_tready,
    .s_axis_a_tdata,
    .s_axis_b_tvalid,
    .s_axis_b_tready,
    .s_axis_b_tdata,
    .m_axis_echo_tvalid,
    .m_axis_echo_tready,
    .m_axis_echo_tdata,
    .m_axis_echo_tlast,
    .m_axis_sum_tvalid,
    .m_axis_sum_tready,
    .m_axis_sum_tdata,
    .m_axis_sum_tlast
  );

endmodule : axis_streams_tester

`default_nettype wire
