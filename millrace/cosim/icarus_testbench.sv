// SPDX-License-Identifier: Apache-2.0
// Plays a stimulus file into a circuit under Icarus and writes the record; stimulus.h describes
// both. Defines: MILLRACE_TOP, and in icarus_ports.svh, for SIDE = INPUT and OUTPUT,
//
//   MILLRACE_SIDE_COUNT   how many ports there are
//   MILLRACE_SIDE_BITS    the width of all their beats together
//   MILLRACE_SIDE_LSBS    where each port's beat begins in them, 32 bits each, port 0 lowest
//   MILLRACE_SIDE_WIDTHS  how wide it is, alike
//   MILLRACE_SIDE_PORTS   the connections of the circuit's ports
//
// Plus arguments: +stimulus=FILE +record=FILE. Prints "progress FRAME" as it goes.
//
// In each cycle the inputs change while the clock is low, the outputs are read when they have
// settled, and then the clock rises: inputs and outputs are those that the clock edge sees.
`include "icarus_ports.svh"
`timescale 1ns / 1ps
`default_nettype none

module millrace_testbench;
  localparam integer Inputs = `MILLRACE_INPUT_COUNT;
  localparam integer Outputs = `MILLRACE_OUTPUT_COUNT;
  localparam integer InputBits = `MILLRACE_INPUT_BITS;
  localparam integer OutputBits = `MILLRACE_OUTPUT_BITS;
  localparam [32*Inputs-1:0] InputLsbs = `MILLRACE_INPUT_LSBS;
  localparam [32*Inputs-1:0] InputWidths = `MILLRACE_INPUT_WIDTHS;
  localparam [32*Outputs-1:0] OutputLsbs = `MILLRACE_OUTPUT_LSBS;
  localparam [32*Outputs-1:0] OutputWidths = `MILLRACE_OUTPUT_WIDTHS;
  localparam integer ResetCycles = 4;

  logic                  clk = 1'b0;
  logic                  rst = 1'b1;
  logic [    Inputs-1:0] in_valid = '0;
  logic [ InputBits-1:0] in_data;
  wire  [   Outputs-1:0] out_valid;
  wire  [OutputBits-1:0] out_data;

  `MILLRACE_TOP u_dut (
      .clk_i(clk),
      .rst_i(rst),
      `MILLRACE_INPUT_PORTS,
      `MILLRACE_OUTPUT_PORTS
  );

  reg [8*4096-1:0] path;
  integer stimulus, record, fields;
  integer num_frames, num_beats, num_outputs, stall_cycles, tail_cycles, seed;
  integer gap, port, is_first, needed;
  logic [InputBits-1:0] beat;
  integer cycle, beats, frames, outputs, quiet_cycles;
  logic has_beat, moves, runs;
  logic [OutputBits-1:0] defined, undefined;

  task automatic drive_garbage;
    integer i;
    in_valid = '0;
    for (i = 0; i < InputBits; i = i + 32) in_data[i+:32] = $random(seed);
  endtask

  task automatic read_beat;
    fields   = $fscanf(stimulus, "%d %d %d %d %h", gap, port, is_first, needed, beat);
    has_beat = 1'b1;
    if (fields != 5) begin
      $display("%%Error: the stimulus file ends early");
      $finish;
    end
  endtask

  task automatic drive_beat;
    logic [InputBits-1:0] mask;
    in_valid[port] = 1'b1;
    mask = ~({InputBits{1'b1}} << InputWidths[32*port+:32]) << InputLsbs[32*port+:32];
    in_data = (in_data & ~mask) | (beat << InputLsbs[32*port+:32]);
    if (is_first != 0) begin
      $fdisplay(record, "in %0d %0d", cycle, port);
      if (port == 0) begin
        frames = frames + 1;
        $display("progress %0d", frames);
      end
    end
    has_beat = 1'b0;
    beats    = beats + 1;
  endtask

  task automatic write_output(input integer number);
    integer i;
    logic [OutputBits-1:0] mask;
    mask      = ~({OutputBits{1'b1}} << OutputWidths[32*number+:32]);
    defined   = (out_data >> OutputLsbs[32*number+:32]) & mask;
    undefined = '0;
    // Only a beat with an undefined bit is looked at bit by bit.
    if (out_valid[number] !== 1'b1) begin
      defined   = '0;
      undefined = mask;
    end else if ((^defined) === 1'bx) begin
      for (i = 0; i < OutputBits; i = i + 1)
        if (defined[i] !== 1'b0 && defined[i] !== 1'b1) begin
          defined[i]   = 1'b0;
          undefined[i] = 1'b1;
        end
    end
    $fdisplay(record, "out %0d %0d %h %h", cycle, number, defined, undefined);
  endtask

  integer output_number;

  initial begin
    if (!$value$plusargs("stimulus=%s", path)) $finish;
    stimulus = $fopen(path, "r");
    if (!$value$plusargs("record=%s", path)) $finish;
    record = $fopen(path, "w");
    fields = $fscanf(stimulus, "%d %d %d %d %d %d", num_frames, num_beats, num_outputs,
                     stall_cycles, tail_cycles, seed);
    if (fields != 6) begin
      $display("%%Error: the stimulus file cannot be read");
      $finish;
    end

    repeat (ResetCycles) begin
      drive_garbage;
      #1 clk = 1'b1;
      #1 clk = 1'b0;
    end
    rst = 1'b0;

    cycle = 0;
    beats = 0;
    frames = 0;
    outputs = 0;
    quiet_cycles = 0;
    has_beat = 1'b0;
    runs = 1'b1;
    while (runs) begin
      drive_garbage;
      moves = 1'b0;
      if (!has_beat && beats < num_beats) read_beat;
      while (has_beat && gap <= 0 && outputs >= needed) begin
        drive_beat;
        moves = 1'b1;
        if (beats < num_beats) read_beat;
      end
      gap = gap - 1;
      #1;
      // An undefined valid counts as a beat all of whose bits are undefined.
      for (output_number = 0; output_number < Outputs; output_number = output_number + 1)
        if (out_valid[output_number] !== 1'b0) begin
          write_output(output_number);
          outputs = outputs + 1;
          moves   = 1'b1;
        end
      clk = 1'b1;
      #1 clk = 1'b0;
      quiet_cycles = moves ? 0 : quiet_cycles + 1;
      runs = outputs <= num_outputs && quiet_cycles <= stall_cycles &&
             !(beats == num_beats && outputs == num_outputs && quiet_cycles >= tail_cycles);
      cycle = cycle + 1;
    end
    $fdisplay(record, "end");
    $fclose(record);
    $finish;
  end
endmodule

`default_nettype wire
