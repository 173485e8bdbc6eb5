/** Every peer, in the order of the report. */
import { jaxWasm, jaxWebgpu } from "./jax_js.ts";
import type { Peer } from "./peer.ts";
import { pytorch } from "./pytorch.ts";
import { tfjsCpu, tfjsWasm, tfjsWebgpu } from "./tfjs.ts";
import { tilegradCpu, tilegradWebgpu } from "./tilegrad.ts";

export const peers: readonly Peer[] = [
  tilegradWebgpu,
  tilegradCpu,
  pytorch,
  jaxWasm,
  tfjsWasm,
  tfjsCpu,
  jaxWebgpu,
  tfjsWebgpu,
];
