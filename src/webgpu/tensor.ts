/** Buffers of a WebGPU device as tensors. */
import type { DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { GpuContext } from "./context.ts";

interface GpuTensor extends DeviceTensor {
  readonly buffer: GPUBuffer;
}

const ARRAYS = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };

export function gpuTensor(
  context: GpuContext,
  { dtype, shape }: TensorType,
  label: string,
  buffer: GPUBuffer,
): DeviceTensor {
  const Elements = ARRAYS[dtype];
  const tensor: GpuTensor = {
    dtype,
    shape,
    label,
    buffer,
    async read(offset = 0, count = sizeOf(shape) - offset) {
      context.allocator.check(buffer);
      return new Elements(await context.read(buffer, 4 * offset, 4 * count));
    },
    write(data, offset = 0) {
      context.allocator.check(buffer);
      // Runs queued before this write must not see it.
      context.submit();
      const values = data instanceof Elements ? data : Elements.from(data);
      context.gpu.queue.writeBuffer(
        buffer,
        4 * offset,
        values.buffer as ArrayBuffer,
        values.byteOffset,
        values.byteLength,
      );
    },
    dispose() {
      context.submit();
      context.allocator.destroy(buffer);
    },
  };
  return tensor;
}

/** The buffer behind a tensor of this device. @throws E_ARGUMENT for another device's tensor */
export function bufferOf(tensor: DeviceTensor): GPUBuffer {
  if (!("buffer" in tensor)) throw new TilegradError("E_ARGUMENT", `${tensor.label} is not on this device.`);
  return (tensor as GpuTensor).buffer;
}
