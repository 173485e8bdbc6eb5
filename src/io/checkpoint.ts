/** The checkpoint of a run: all that a resumed run needs to have the bits of an uninterrupted one. Layout: bundle.ts. */
import { decodeBundle, encodeBundle, type Files, onlyFields } from "./bundle.ts";
import type { Json } from "./json.ts";
import { asCount, asJson, asList, asNumber, asObject, asString, field } from "./place.ts";
import type { StoredTensors } from "./safetensors.ts";

const CHECKPOINT = { head: "checkpoint.json", format: "tilegrad-checkpoint", version: 1, stem: "state" };
const COUNTS = ["step", "epoch", "cursor", "seed"] as const;
const TEXTS = ["data", "plan"] as const;
const VALUES = ["config", "states"] as const;

export interface CheckpointFile {
  /** Optimizer steps done, epochs done, and steps done within the current epoch. */
  readonly step: number;
  readonly epoch: number;
  readonly cursor: number;
  readonly seed: number;
  /** `fingerprint` of the training data. */
  readonly data: string;
  /** The compiled plan; a resume uses the same, since the order of sums decides bits. */
  readonly plan: string;
  /** What the run was asked to do; the trainer compares it. */
  readonly config: Json;
  /** State of schedule and callbacks. */
  readonly states: Json;
  /** One list per curve; NaN and infinities survive. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Every state of the device by name, best weights included. */
  readonly tensors: StoredTensors;
}

/** The files of a checkpoint's folder, `checkpoint.json` last. Equal checkpoints give equal bytes. */
export function encodeCheckpoint({ tensors, ...body }: CheckpointFile): Files {
  return encodeBundle(CHECKPOINT, body, tensors);
}

/**
 * The checkpoint of a folder's files.
 * @param where what to call the folder in errors.
 * @throws E_FILE when a file is missing or damaged, or a field is wrong (named by its path).
 */
export function decodeCheckpoint(files: Files, where: string): CheckpointFile {
  const { head, tensors } = decodeBundle(CHECKPOINT, files, where);
  onlyFields(head, [...COUNTS, ...TEXTS, ...VALUES, "history"]);
  const [step, epoch, cursor, seed] = COUNTS.map((key) => asCount(field(head, key)));
  const [data, plan] = TEXTS.map((key) => asString(field(head, key)));
  const [config, states] = VALUES.map((key) => asJson(field(head, key)));
  const curves = field(head, "history");
  const history: Record<string, number[]> = Object.create(null);
  for (const name of Object.keys(asObject(curves))) history[name] = asList(field(curves, name)).map(asNumber);
  return { step, epoch, cursor, seed, data, plan, config, states, history, tensors };
}
