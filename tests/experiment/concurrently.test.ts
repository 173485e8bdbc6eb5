import { describe, expect, it } from "vitest";
import { concurrently } from "../../src/experiment/concurrently.ts";

const later = (ticks: number): Promise<void> =>
  ticks === 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(() => resolve(later(ticks - 1))));

describe("concurrently", () => {
  it.each([1, 2, 3, 9])("gives the results in the order of the items, %i at a time", async (jobs) => {
    let [under, most] = [0, 0];
    function* items() {
      for (let i = 0; i < 7; i++) {
        expect(under).toBeLessThan(jobs); // an item is made when its turn comes
        yield i;
      }
    }
    const results = await concurrently(items(), jobs, async (item) => {
      most = Math.max(most, ++under);
      await later(7 - item);
      under--;
      return item * item;
    });
    expect(results).toEqual([0, 1, 4, 9, 16, 25, 36]);
    expect(most).toBe(Math.min(jobs, 7));
  });

  it.each([1, 2, 4])(
    "throws the first item's error, whichever came first, and begins no more: %i at a time",
    async (jobs) => {
      const begun: number[] = [];
      let ended = 0;
      const work = async (item: number): Promise<void> => {
        begun.push(item);
        await later(item === 1 ? 9 : 3);
        ended++;
        if (item > 0) throw new Error(`item ${item}`);
      };
      await expect(concurrently([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], jobs, work)).rejects.toThrow("item 1");
      expect(ended).toBe(begun.length); // what was under way has come to its end
      expect(begun.length).toBeLessThan(10);
    },
  );

  it("throws what making an item throws, after what was under way has ended", async () => {
    let ended = false;
    function* items() {
      yield 0;
      throw new Error("no second fold");
    }
    const work = async () => {
      await later(3);
      ended = true;
    };
    await expect(concurrently(items(), 2, work)).rejects.toThrow("no second fold");
    expect(ended).toBe(true);
  });
});
