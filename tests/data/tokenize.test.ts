import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { Tokenizer } from "../../src/data/tokenize.ts";
import { TilegradError } from "../../src/errors.ts";

/** The rows of cells of a text that arrives in the given pieces. */
function tokenize(pieces: readonly string[], delimiter = ","): { rows: string[][]; lines: number[] } {
  const rows: string[][] = [];
  const lines: number[] = [];
  let row: string[] = [];
  const tokenizer = new Tokenizer("f.csv", delimiter, {
    cell: (text, start, end) => void row.push(text.slice(start, end)),
    endRow: (line) => {
      rows.push(row);
      lines.push(line);
      row = [];
    },
  });
  for (const piece of pieces) tokenizer.push(piece);
  tokenizer.end();
  return { rows, lines };
}

const cell = fc.string({
  unit: fc.constantFrom("a", "1", " ", ",", ";", '"', "\n", "\r", "\r\n", "é", "😀"),
  maxLength: 8,
});
const cuts = fc.array(fc.nat(300), { maxLength: 12 });

function cut(text: string, at: readonly number[]): string[] {
  const bounds = [0, ...at.filter((i) => i < text.length).sort((a, b) => a - b), text.length];
  return bounds.slice(1).map((end, i) => text.slice(bounds[i], end));
}

describe("Tokenizer", () => {
  it("reads what papaparse writes, in any pieces, with any line end and delimiter", () => {
    const tables = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    const newline = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(tables, newline, fc.constantFrom(",", ";", "\t", "|"), cuts, (rows, end, delimiter, at) => {
        const text = Papa.unparse(rows, { newline: end, delimiter, quotes: rows.length % 2 === 0 });
        expect(tokenize(cut(text, at), delimiter).rows).toEqual(rows);
      }),
      { numRuns: 1000 },
    );
  });

  it("agrees with papaparse on any text that papaparse finds well-formed", () => {
    const texts = fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\n"), maxLength: 20 });
    fc.assert(
      fc.property(texts, cuts, (text, at) => {
        const papa = Papa.parse<string[]>(text, { delimiter: ",", newline: "\n" });
        fc.pre(papa.errors.length === 0 && !/(^|\n)""(\n|$)/.test(text));
        expect(tokenize(cut(text, at)).rows).toEqual(papa.data.filter((row) => row.length > 1 || row[0] !== ""));
      }),
      { numRuns: 3000 },
    );
  });

  it("names the physical line on which each row begins", () => {
    const text = 'a,b\r\n\r\n"1\r\n1",2\r\n3,"4\n\n"\r5,6\n\n7,8';
    expect(tokenize([text]).lines).toEqual([1, 3, 5, 8, 10]);
    expect(tokenize([...text]).lines).toEqual([1, 3, 5, 8, 10]);
  });

  it("keeps empty cells, also the last one, and skips empty lines", () => {
    expect(tokenize(["a,b,\n,,\n\n,x"]).rows).toEqual([
      ["a", "b", ""],
      ["", "", ""],
      ["", "x"],
    ]);
    expect(tokenize(["a,"]).rows).toEqual([["a", ""]]);
    expect(tokenize(["\n\r\n\r"]).rows).toEqual([]);
    expect(tokenize(['a\n""\n']).rows).toEqual([["a"], [""]]);
  });

  it("takes a quote inside an unquoted cell as it is, and blanks after a closing quote as nothing", () => {
    expect(tokenize(['5" disk,"a"  ,b\n']).rows).toEqual([['5" disk', "a", "b"]]);
  });

  it("names the line where an unclosed quote was opened", () => {
    const open = 'a,b\n1,2\n3,"4\n5,6\n7,8\n';
    expect(() => tokenize([open])).toThrow("f.csv, line 3: a quote opened here is never closed.");
    expect(() => tokenize([...open])).toThrow("f.csv, line 3: a quote opened here is never closed.");
  });

  it("gives up on an unclosed quote before it holds the whole file", () => {
    const pieces = ['a\n"', ...Array<string>(40).fill("x\n".repeat(250_000))];
    let pushed = 0;
    const counting = (function* () {
      for (const piece of pieces) {
        pushed += piece.length;
        yield piece;
      }
    })();
    const tokenizer = new Tokenizer("f.csv", ",", { cell: () => {}, endRow: () => {} });
    expect(() => {
      for (const piece of counting) tokenizer.push(piece);
    }).toThrow("line 2: a quote opened here is not closed within 16777216 characters.");
    expect(pushed).toBeLessThan(18 * 1024 * 1024);
  });

  it("refuses text after a closing quote and NUL characters, with their lines", () => {
    expect(() => tokenize(['a,b\n"x\n"y,2\n'])).toThrow(
      'line 2: got "y" after a closing quote on line 3, of the quote that is opened here',
    );
    expect(() => tokenize(["a,b\n1,2\n", "3,\0"])).toThrow("line 3: got a NUL character");
    expect(() => tokenize(["\0"])).toThrow(TilegradError);
  });
});
