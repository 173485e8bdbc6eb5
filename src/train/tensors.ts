import type { Device, DeviceTensor } from "../device.ts";
import type { TensorType } from "../graph/types.ts";

/** Makes a tensor of zeros or of `values`. */
export type MakeTensor = (type: TensorType, label: string, values?: ArrayLike<number>) => DeviceTensor;

/** Device tensors that are made together and freed together. */
export class TensorGroup {
  private readonly device: Device;
  private readonly made: DeviceTensor[] = [];

  constructor(device: Device) {
    this.device = device;
  }

  readonly make: MakeTensor = (type, label, values) => {
    const tensor = this.device.tensor(type, label, values);
    this.made.push(tensor);
    return tensor;
  };

  dispose(): void {
    for (const tensor of this.made) tensor.dispose();
    this.made.length = 0;
  }
}
