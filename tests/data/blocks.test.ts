import { expect, it } from "vitest";
import { parseCsv, readCsvBlocks } from "../../src/data/csv.ts";
import type { Table } from "../../src/data/table.ts";
import { cellText } from "../../src/data/table.ts";

const TEXT = `a,b,c\n${Array.from({ length: 300 }, (_, i) => `${i / 4},${i % 7 === 0 ? "" : `level ${i % 11}`},0${i % 3}`).join("\n")}\n`;

async function blocksOf(text: string, size: number, rows: number): Promise<Table[]> {
  const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  const blocks: Table[] = [];
  for await (const block of readCsvBlocks(pieces, { rows, delimiter: ",", categoricalIfPresent: ["c"] }))
    blocks.push(block);
  return blocks;
}

const cells = ({ rows, columns, lines }: Table): string[] =>
  Array.from({ length: rows }, (_, row) => [...columns.map((column) => cellText(column, row)), lines?.[row]].join(";"));

// The first 65,536 characters are looked at together, to find the delimiter.
it.each([1, 7, 64, 1000])(
  "gives the rows of the whole in blocks, however the text is cut (%i characters)",
  async (size) => {
    const long = TEXT + TEXT.slice(6).repeat(25);
    const blocks = await blocksOf(long, size, 50);
    expect(blocks.length).toBeGreaterThan(40);
    expect(blocks.flatMap(cells)).toEqual(cells(parseCsv(long, { categorical: ["c"] }).table));
  },
);

it("says that a late text has made a column categorical", async () => {
  const text = `a\n${"1\n".repeat(40_000)}${"x\n".repeat(10_000)}`;
  const kinds = (await blocksOf(text, 1000, 500)).map(({ columns }) => columns[0].kind);
  expect([kinds[0], kinds.at(-1)]).toEqual(["numeric", "categorical"]);
});
