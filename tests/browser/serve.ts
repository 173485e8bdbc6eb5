import http from "node:http";
import type { AddressInfo } from "node:net";

export interface Page {
  readonly type: string;
  readonly body: string | Uint8Array;
}

export interface Server {
  /** Without a slash at its end. A page of localhost may use WebGPU. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `pages`, path to content, on a free port of localhost. */
export async function serve(pages: Readonly<Record<string, Page>>): Promise<Server> {
  const server = http.createServer((request, response) => {
    const page = pages[new URL(request.url!, "http://localhost").pathname];
    response.writeHead(page ? 200 : 404, { "content-type": page?.type ?? "text/plain" });
    response.end(page?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
