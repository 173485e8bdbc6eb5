import script from "./decoderWorker.ts?bundle";
import { Guarded } from "./guarded.ts";

/** Decoders of others; of all files that this process reads, one after another. */
export const decoders = new Guarded(script);
