/** What goes wrong on a GPU behind the caller's back, as typed errors for whoever waits or asks next. */
import { TilegradError } from "../errors.ts";

/** A lost device aborts what is pending, and says that it is lost at about the same time, on a busy machine later. */
const LOSS_MS = 1000;

export class Faults {
  private lost: TilegradError | null = null;
  /** The first error nobody has been told of. */
  private failure: TilegradError | null = null;
  private readonly waiting = new Set<(loss: TilegradError) => void>();
  private readonly device: GPUDevice;

  constructor(device: GPUDevice) {
    this.device = device;
    device.addEventListener("uncapturederror", (event) => {
      this.report("The device", (event as GPUUncapturedErrorEvent).error);
    });
    void device.lost.then(({ reason, message }) => {
      this.lost = new TilegradError("E_LOST", `The device was lost (${reason}): ${message}`, {
        hint: "Open a new device and resume from the last checkpoint.",
      });
      for (const reject of this.waiting) reject(this.lost);
    });
  }

  /** Does synchronous work; what the device has against it is told under this name to whoever waits next. */
  named<T>(name: string, work: () => T): T {
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    try {
      return work();
    } finally {
      for (let scope = 0; scope < 2; scope++) {
        this.device.popErrorScope().then(
          (error) => error && this.report(name, error),
          // The device was lost, which is reported as that.
          () => {},
        );
      }
    }
  }

  private report(name: string, error: GPUError): void {
    const code = error instanceof GPUOutOfMemoryError ? "E_MEMORY" : "E_KERNEL";
    this.failure ??= new TilegradError(code, `${name} reports: ${error.message}`);
  }

  /** @throws E_LOST from a loss on; E_KERNEL or E_MEMORY once for what went wrong before */
  check(): void {
    const { lost, failure } = this;
    this.failure = null;
    if (lost ?? failure) throw lost ?? failure;
  }

  /** `work`, or E_LOST if the device goes first: after a loss some of WebGPU's promises never settle. */
  async race<T>(work: Promise<T>): Promise<T> {
    // A promise of its own: one for all would remember every race for as long as the device lives.
    let reject: (loss: TilegradError) => void = () => {};
    const loss = new Promise<never>((_, r) => {
      reject = r;
    });
    this.waiting.add(reject);
    if (this.lost) reject(this.lost);
    try {
      const result = await Promise.race([work, loss]);
      this.check();
      return result;
    } catch (error) {
      if (error instanceof TilegradError) throw error;
      await Promise.race([loss, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
      this.check();
      throw error;
    } finally {
      this.waiting.delete(reject);
    }
  }
}
