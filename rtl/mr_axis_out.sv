// SPDX-License-Identifier: Apache-2.0
// An AXI4-Stream output of a circuit that knows no back-pressure: a memory for the results of the
// frames that were admitted.
//
//   core_*     the circuit's fixed-latency output
//   m_axis_*   Beats beats a frame, tlast on the last one
//
// Nothing is lost, repeated or reordered under any back-pressure, as long as no frame begins while
// has_room_o is low. Frames (the room, in frames) should be at least latency / interval + 2 for
// full throughput.
//
// Latency 1 cycle. Throughput 1 beat/cycle.

`include "mr_assert.svh"
`default_nettype none

module mr_axis_out #(
  parameter int Bits   = 8,  // of a beat
  parameter int Beats  = 1,  // of a frame, >= 1
  parameter int Frames = 4,  // >= 1
  localparam int Bytes = (Bits + 7) / 8
) (
  input  wire                clk_i,
  input  wire                rst_i,  // synchronous, active high

  input  wire                begin_i,     // a frame begins
  output logic               has_room_o,  // for the results of one more frame

  input  wire                core_valid_i,
  input  wire  [Bits-1:0]    core_data_i,

  output logic               m_axis_tvalid,
  input  wire                m_axis_tready,
  output logic [Bytes*8-1:0] m_axis_tdata,  // a beat in the low bits, zeros above
  output logic               m_axis_tlast
);

  localparam int Depth     = Frames * Beats;
  localparam int BeatBits  = Beats > 1 ? $clog2(Beats) : 1;
  localparam int FrameBits = $clog2(Frames + 1);
  localparam int PtrBits   = Depth > 1 ? $clog2(Depth) : 1;
  localparam int LevelBits = $clog2(Depth + 1);

  `MR_ASSERT_STATIC(SizesInRange, Beats >= 1 && Frames >= 1)

  logic [Bits-1:0]      results [0:Depth-1];
  logic [PtrBits-1:0]   write_q;
  logic [PtrBits-1:0]   read_q;
  logic [LevelBits-1:0] level_q;
  logic [BeatBits-1:0]  beat_q;
  logic [FrameBits-1:0] frames_q;  // begun, results not all taken
  logic                 take;
  logic                 leave;     // the last result of a frame is taken

  assign has_room_o    = frames_q != FrameBits'(Frames);
  assign m_axis_tvalid = level_q != '0;
  assign m_axis_tlast  = beat_q == BeatBits'(Beats - 1);
  assign m_axis_tdata  = (Bytes * 8)'(results[read_q]);
  assign take          = m_axis_tvalid && m_axis_tready;
  assign leave         = take && m_axis_tlast;

  always_ff @(posedge clk_i) begin
    if (core_valid_i) results[write_q] <= core_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      write_q  <= '0;
      read_q   <= '0;
      level_q  <= '0;
      beat_q   <= '0;
      frames_q <= '0;
    end else begin
      if (core_valid_i)
        write_q <= write_q == PtrBits'(Depth - 1) ? '0 : write_q + PtrBits'(1);
      if (take) begin
        read_q <= read_q == PtrBits'(Depth - 1) ? '0 : read_q + PtrBits'(1);
        beat_q <= m_axis_tlast ? '0 : beat_q + BeatBits'(1);
      end
      if (core_valid_i && !take) level_q <= level_q + LevelBits'(1);
      if (take && !core_valid_i) level_q <= level_q - LevelBits'(1);
      if (begin_i && !leave) frames_q <= frames_q + FrameBits'(1);
      if (leave && !begin_i) frames_q <= frames_q - FrameBits'(1);
    end
  end

  `MR_ASSERT(Room_A, !(core_valid_i && level_q == LevelBits'(Depth)))
  `MR_ASSERT(DataStable_A,
             m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid && $stable(m_axis_tdata))

endmodule : mr_axis_out

`default_nettype wire
