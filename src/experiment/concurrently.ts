/** Experiments that do not depend on each other, several at a time, with the results of one at a time. */
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";

/** Cells of a table beyond which arithmetic takes the time, so that a second experiment would only take memory. */
const MOST_CELLS = 2 ** 26;

/** How many at a time, unless that was said. Between the small steps of one experiment a GPU is idle (measured in docs/cli.md); the CPU reference never is. */
export function jobsOn({ info }: Device, { rows, columns }: Table, jobs: number | undefined): number {
  return jobs ?? (info.backend === "webgpu" && rows * columns.length <= MOST_CELLS ? 2 : 1);
}

/**
 * What `work` makes of each item, in the order of the items, of which `jobs` are worked on at a time. An item is taken from
 * the iterable when its turn comes. After an error no further item is begun; of several the first item's is thrown.
 */
export async function concurrently<T, R>(
  items: Iterable<T>,
  jobs: number,
  work: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const errors: { readonly at: number; readonly error: unknown }[] = [];
  const queue = items[Symbol.iterator]();
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (errors.length === 0) {
      const at = begun++;
      try {
        const next = queue.next();
        if (next.done) return;
        results[at] = await work(next.value, at);
      } catch (error) {
        errors.push({ at, error });
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  if (errors.length > 0) throw errors.reduce((first, other) => (other.at < first.at ? other : first)).error;
  return results;
}
