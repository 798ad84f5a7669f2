// SPDX-License-Identifier: Apache-2.0
// Stands between a generated AXI4-Stream wrapper (module dut_axis) and the ports that cosim/
// drives: queues what comes in, plays an AXI4-Stream source and sink, and hands on what goes out.
//
//   in_data_i   {stall the sink, pause the source, beat}; both switches hold from this beat on
//   out_data_o  {the source was held back since the last result, tlast, tdata}
//
// The pattern of pauses and stalls is pseudo-random, in stretches of different density; its seed is
// what in_data_i carries during reset. The sizes come from axis_sizes.svh, which the test writes.
//
// Latency dut_axis's plus 2 cycles, without pauses and stalls. Throughput 1 beat/cycle.

`include "mr_assert.svh"
`include "axis_sizes.svh"
`default_nettype none

module axis_tester #(
  localparam int InBits     = `AXIS_IN_BITS,
  localparam int OutBits    = `AXIS_OUT_BITS,
  localparam int InBeats    = `AXIS_IN_BEATS,  // of a frame
  localparam int QueueDepth = `AXIS_QUEUE_DEPTH,  // power of 2
  localparam int InBytes    = (InBits + 7) / 8,
  localparam int OutBytes   = (OutBits + 7) / 8
) (
  input  wire                   clk_i,
  input  wire                   rst_i,  // synchronous, active high
  input  wire                   in_valid_i,
  input  wire  [InBits+1:0]     in_data_i,
  output logic                  out_valid_o,
  output logic [OutBytes*8+1:0] out_data_o
);

  localparam int PtrBits = $clog2(QueueDepth);

  ////////////
  // Chance //
  ////////////

  logic [63:0] noise_q;
  logic [63:0] noise_a, noise_b, noise_d;
  assign noise_a = noise_q ^ (noise_q << 13);
  assign noise_b = noise_a ^ (noise_a >> 7);
  assign noise_d = noise_b ^ (noise_b << 17);

  logic [1:0] source_pace_q;  // 0 full rate, 1 half, 2 an eighth, 3 nothing
  logic [1:0] sink_pace_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      noise_q       <= 64'h9e3779b97f4a7c15 ^ 64'(in_data_i);
      source_pace_q <= '0;
      sink_pace_q   <= '0;
    end else begin
      noise_q <= noise_d;
      if (noise_q[5:0] == '0) source_pace_q <= noise_q[7:6];
      if (noise_q[13:8] == '0) sink_pace_q <= noise_q[15:14];
    end
  end

  function automatic logic idles(input logic [1:0] pace, input logic [2:0] chance);
    idles = pace == 2'd3 || (pace == 2'd2 && chance != 3'd0) || (pace == 2'd1 && chance[0]);
  endfunction

  ////////////
  // Source //
  ////////////

  logic [InBits+1:0]    queue [0:QueueDepth-1];
  logic [PtrBits-1:0]   write_q;
  logic [PtrBits-1:0]   read_q;
  logic                 stalls_q;
  logic                 offers;
  logic                 s_axis_tvalid;
  logic                 s_axis_tready;
  logic [InBytes*8-1:0] s_axis_tdata;

  assign offers = write_q != read_q &&
                  !(queue[read_q][InBits] && idles(source_pace_q, noise_q[18:16]));

  always_ff @(posedge clk_i) begin
    if (in_valid_i) queue[write_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      write_q       <= '0;
      read_q        <= '0;
      stalls_q      <= 1'b0;
      s_axis_tvalid <= 1'b0;
    end else begin
      if (in_valid_i) write_q <= write_q + PtrBits'(1);
      if (!s_axis_tvalid || s_axis_tready) begin
        s_axis_tvalid <= offers;
        if (offers) read_q <= read_q + PtrBits'(1);
        if (offers) stalls_q <= queue[read_q][InBits+1];
      end
    end
  end

  // Where tdata means nothing, it carries anything.
  always_ff @(posedge clk_i) begin
    if (!s_axis_tvalid || s_axis_tready) begin
      s_axis_tdata <= (InBytes * 8)'(noise_d);
      if (offers) s_axis_tdata[InBits-1:0] <= queue[read_q][InBits-1:0];
    end
  end

  //////////
  // Sink //
  //////////

  logic                  m_axis_tvalid;
  logic                  m_axis_tready;
  logic [OutBytes*8-1:0] m_axis_tdata;
  logic                  m_axis_tlast;
  logic                  held_q;

  assign m_axis_tready = !(stalls_q && idles(sink_pace_q, noise_q[21:19]));
  assign out_valid_o   = m_axis_tvalid && m_axis_tready;
  assign out_data_o    = {held_q, m_axis_tlast, m_axis_tdata};

  always_ff @(posedge clk_i) begin
    if (rst_i) held_q <= 1'b0;
    else if (s_axis_tvalid && !s_axis_tready) held_q <= 1'b1;
    else if (out_valid_o) held_q <= 1'b0;
  end

  dut_axis u_dut (.clk_i, .rst_i, .s_axis_tvalid, .s_axis_tready, .s_axis_tdata, .m_axis_tvalid,
                  .m_axis_tready, .m_axis_tdata, .m_axis_tlast);

  // A frame that was begun is taken to its end.
  logic [31:0] in_beat_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) in_beat_q <= '0;
    else if (s_axis_tvalid && s_axis_tready)
      in_beat_q <= in_beat_q == InBeats - 1 ? '0 : in_beat_q + 32'd1;
  end

  // A frame begins at the earliest an interval after the one before.
  logic [31:0] age_q;
  always_ff @(posedge clk_i) begin
    if (rst_i) age_q <= `AXIS_INTERVAL;
    else if (s_axis_tvalid && s_axis_tready && in_beat_q == '0) age_q <= 32'd1;
    else age_q <= age_q + 32'd1;
  end

  `MR_ASSERT(IntervalIsKept_A,
             s_axis_tvalid && s_axis_tready && in_beat_q == '0 |-> age_q >= `AXIS_INTERVAL)
  `MR_ASSERT(FrameIsTakenWhole_A, in_beat_q != '0 |-> s_axis_tready)
  `MR_ASSERT(OfferStands_A, m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid)
  `MR_ASSERT(OfferIsStable_A,
             m_axis_tvalid && !m_axis_tready |=> $stable({m_axis_tdata, m_axis_tlast}))
  `MR_ASSERT(QueueHasRoom_A, !(in_valid_i && write_q + PtrBits'(1) == read_q))

endmodule : axis_tester

`default_nettype wire
