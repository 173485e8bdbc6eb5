/** The peers that run in Node and in browsers, in the order of the report. */
import { jaxWasm, jaxWebgpu } from "./jax_js.ts";
import type { Peer } from "./peer.ts";
import { tfjsCpu, tfjsWasm, tfjsWebgpu } from "./tfjs.ts";
import { tilegradCpu, tilegradWebgpu } from "./tilegrad.ts";

export const webPeers: readonly Peer[] = [
  tilegradWebgpu,
  tilegradCpu,
  jaxWasm,
  tfjsWasm,
  tfjsCpu,
  jaxWebgpu,
  tfjsWebgpu,
];
