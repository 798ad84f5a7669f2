// SPDX-License-Identifier: Apache-2.0
// Puts AXI4-Stream around a circuit that knows no back-pressure: a frame is admitted only when the
// output memory has room for all of its results.
//
//   s_axis_*   beats of frames; tlast is not needed: a frame has InBeats beats
//   m_axis_*   OutBeats beats a frame, tlast on the last one
//   core_*     the circuit's fixed-latency ports
//
// Nothing is lost, repeated or reordered under any back-pressure. A frame that was begun is taken
// to its end without back-pressure. Frames (the room, in frames) should be at least
// latency / interval + 2 for full throughput.
//
// Latency: the circuit's plus 1 cycle. Throughput 1 beat/cycle.

`include "mr_assert.svh"
`default_nettype none

module mr_axis #(
  parameter int InBits   = 8,   // of a beat
  parameter int OutBits  = 8,   // of a beat
  parameter int InBeats  = 16,  // of a frame, >= 1
  parameter int OutBeats = 1,   // of a frame, >= 1
  parameter int Frames   = 4,   // >= 1
  localparam int InBytes  = (InBits + 7) / 8,
  localparam int OutBytes = (OutBits + 7) / 8
) (
  input  wire                    clk_i,
  input  wire                    rst_i,  // synchronous, active high

  input  wire                    s_axis_tvalid,
  output logic                   s_axis_tready,
  input  wire  [InBytes*8-1:0]   s_axis_tdata,  // a beat in the low bits

  output logic                   m_axis_tvalid,
  input  wire                    m_axis_tready,
  output logic [OutBytes*8-1:0]  m_axis_tdata,  // a beat in the low bits, zeros above
  output logic                   m_axis_tlast,

  output logic                   core_in_valid_o,
  output logic [InBits-1:0]      core_in_data_o,
  input  wire                    core_out_valid_i,
  input  wire  [OutBits-1:0]     core_out_data_i
);

  localparam int Depth     = Frames * OutBeats;
  localparam int InCount   = InBeats > 1 ? $clog2(InBeats) : 1;
  localparam int OutCount  = OutBeats > 1 ? $clog2(OutBeats) : 1;
  localparam int FrameBits = $clog2(Frames + 1);
  localparam int PtrBits   = Depth > 1 ? $clog2(Depth) : 1;
  localparam int LevelBits = $clog2(Depth + 1);

  `MR_ASSERT_STATIC(SizesInRange, InBeats >= 1 && OutBeats >= 1 && Frames >= 1)

  ///////////////
  // Admission //
  ///////////////

  logic [InCount-1:0]   in_beat_q;
  logic [FrameBits-1:0] frames_q;  // admitted, results not all taken
  logic                 admit;     // the first beat of a frame is taken
  logic                 leave;     // the last result of a frame is taken

  assign s_axis_tready   = in_beat_q != '0 || frames_q != FrameBits'(Frames);
  assign core_in_valid_o = s_axis_tvalid && s_axis_tready;
  assign core_in_data_o  = s_axis_tdata[InBits-1:0];
  assign admit           = core_in_valid_o && in_beat_q == '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_beat_q <= '0;
      frames_q  <= '0;
    end else begin
      if (core_in_valid_o)
        in_beat_q <= in_beat_q == InCount'(InBeats - 1) ? '0 : in_beat_q + InCount'(1);
      if (admit && !leave) frames_q <= frames_q + FrameBits'(1);
      if (leave && !admit) frames_q <= frames_q - FrameBits'(1);
    end
  end

  if (InBytes * 8 > InBits) begin : gen_unused
    logic unused;
    assign unused = ^s_axis_tdata[InBytes*8-1:InBits];
  end

  ///////////////////
  // Output memory //
  ///////////////////

  logic [OutBits-1:0]   results [0:Depth-1];
  logic [PtrBits-1:0]   write_q;
  logic [PtrBits-1:0]   read_q;
  logic [LevelBits-1:0] level_q;
  logic [OutCount-1:0]  out_beat_q;
  logic                 take;

  assign m_axis_tvalid = level_q != '0;
  assign m_axis_tlast  = out_beat_q == OutCount'(OutBeats - 1);
  assign m_axis_tdata  = (OutBytes * 8)'(results[read_q]);
  assign take          = m_axis_tvalid && m_axis_tready;
  assign leave         = take && m_axis_tlast;

  always_ff @(posedge clk_i) begin
    if (core_out_valid_i) results[write_q] <= core_out_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      write_q    <= '0;
      read_q     <= '0;
      level_q    <= '0;
      out_beat_q <= '0;
    end else begin
      if (core_out_valid_i)
        write_q <= write_q == PtrBits'(Depth - 1) ? '0 : write_q + PtrBits'(1);
      if (take) begin
        read_q     <= read_q == PtrBits'(Depth - 1) ? '0 : read_q + PtrBits'(1);
        out_beat_q <= m_axis_tlast ? '0 : out_beat_q + OutCount'(1);
      end
      if (core_out_valid_i && !take) level_q <= level_q + LevelBits'(1);
      if (take && !core_out_valid_i) level_q <= level_q - LevelBits'(1);
    end
  end

  `MR_ASSERT(Room_A, !(core_out_valid_i && level_q == LevelBits'(Depth)))
  `MR_ASSERT(DataStable_A, m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid && $stable(m_axis_tdata))

endmodule : mr_axis

`default_nettype wire
