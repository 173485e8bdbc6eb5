/** The benchmark in a page: gives it `measurePeer`, which chromium.ts calls. */
import { openDevice } from "../src/openDevice.ts";
import { type Answer, answer } from "./measure.ts";
import { type Host, Unavailable } from "./peers/peer.ts";
import { webPeers } from "./peers/web.ts";
import { workloads } from "./workloads.ts";

const host: Host = {
  about: { browser: navigator.userAgent },

  async installGpu() {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) throw new Unavailable("the browser offers no WebGPU adapter");
    const { vendor, architecture, device, description } = adapter.info;
    return { adapter: [vendor, architecture, device, description].filter(Boolean).join(" ") };
  },

  openDevice: (backend) => openDevice({ backend }),
};

function find<T extends { name: string }>(all: readonly T[], name: string): T {
  const found = all.find((item) => item.name === name);
  if (found === undefined) throw new Error(`nothing is called "${name}"`);
  return found;
}

declare global {
  /** One peer on one workload, in this page. */
  var measurePeer: (peer: string, workload: string, budgetMs: number) => Promise<Answer>;
}

globalThis.measurePeer = (peer, workload, budgetMs) =>
  answer(find(webPeers, peer), find(workloads, workload), host, { budgetMs });
