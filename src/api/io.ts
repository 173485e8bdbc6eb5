/** `tilegrad/io`: files as bytes: arrays of NumPy and IDX, safetensors, and a saved model's files without a place to keep them. */
export type {} from "../globals.ts";
export { toBlobs } from "../io/blobs.ts";
export type { FileStore, Files } from "../io/bundle.ts";
export { decodeSafetensors } from "../io/foreignSafetensors.ts";
export type { IdxArray, IdxData } from "../io/idx.ts";
export { decodeIdx, encodeIdx, readIdx } from "../io/idx.ts";
export type { NpyArray, NpyData } from "../io/npy.ts";
export { decodeNpy, encodeNpy } from "../io/npy.ts";
export { decodeNpz } from "../io/npz.ts";
export type { StoredTensor, StoredTensors } from "../io/safetensors.ts";
export { encodeSafetensors } from "../io/safetensors.ts";
export { trainerFromFiles } from "../train/loading.ts";
export { modelFiles } from "../train/saving.ts";
