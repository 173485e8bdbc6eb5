/** Every peer, in the order of the report. */
import type { Peer } from "./peer.ts";
import { pytorch } from "./pytorch.ts";
import { webPeers } from "./web.ts";

export const peers: readonly Peer[] = [...webPeers, ...pytorch];
