/** Replaying a resident program: many steps a dispatch, their scalars in a table. */
import type { ResidentProgram } from "../shader/resident.ts";
import { TABLE_BYTES } from "../shader/resident.ts";
import type { GpuContext, MakeBuffer, Replayable } from "./context.ts";

/** Tables start where any device allows a dynamic offset. */
const ALIGN = 256;

export function residentReplay(
  { gpu, pipelines, maxQueue }: GpuContext,
  { label, rowWords, flops }: ResidentProgram,
  { pipeline, group }: { pipeline: GPUComputePipeline; group: GPUBindGroup },
  make: MakeBuffer,
): Replayable {
  // Room for one submit, even if every run has a table of its own.
  const room = maxQueue * (ALIGN + 4 * rowWords);
  const buffer = make("step table", room + TABLE_BYTES, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  const tables = gpu.createBindGroup({
    label: "step table",
    layout: pipelines.stepLayouts.table,
    entries: [{ binding: 0, resource: { buffer, size: TABLE_BYTES } }],
  });
  const words = new Uint32Array(TABLE_BYTES / 4);
  const most = Math.floor((words.length - 4) / rowWords);
  let used = 0;
  const replay: Replayable["replay"] = (pass, rows, from, count) => {
    for (let first = from; first < from + count; first += most) {
      const steps = Math.min(most, from + count - first);
      words[0] = steps;
      for (let i = 0; i < steps; i++) {
        const start = (first + i) * rows.stride;
        for (let k = 0; k < rowWords; k++) words[4 + i * rowWords + k] = rows.words[start + k];
      }
      const size = 4 + steps * rowWords;
      gpu.queue.writeBuffer(buffer, used, words, 0, size);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, tables, [used]);
      pass.setBindGroup(1, group);
      pass.dispatchWorkgroups(1);
      used += Math.ceil((4 * size) / ALIGN) * ALIGN;
    }
  };
  return {
    kernels: [{ label, shader: "resident", flops, bytes: 0 }],
    bindsRow: false,
    submitted() {
      used = 0;
    },
    replay,
    replayKernel: (pass, rows, run) => replay(pass, rows, run, 1),
  };
}
