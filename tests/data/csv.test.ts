import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CsvReader, parseCsv, readCsv } from "../../src/data/csv.ts";
import { type CategoricalColumn, type Column, cellText, type NumericColumn } from "../../src/data/table.ts";
import { chooseTarget } from "../../src/data/target.ts";
import { TilegradError } from "../../src/errors.ts";
import { draws } from "../../src/random.ts";

const utf8 = new TextEncoder();

function failure(run: () => unknown): TilegradError {
  try {
    run();
  } catch (error) {
    if (error instanceof TilegradError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function cells(column: Column, rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => cellText(column, row));
}

function utf16(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * text.length + 2));
  [...Array(text.length + 1).keys()].forEach((i) => {
    bytes.setUint16(2 * i, i === 0 ? 0xfeff : text.charCodeAt(i - 1), littleEndian);
  });
  return new Uint8Array(bytes.buffer);
}

describe("parseCsv", () => {
  it("takes a control character as delimiter", () => {
    const { table } = parseCsv("id\x01x\n1\x012\n", { delimiter: "\x01" });
    expect(table.columns.map(({ name }) => name)).toEqual(["id", "x"]);
    expect(() => parseCsv("id\x01x\n1\x012\n")).toThrow("binary");
  });

  it("gives typed columns, missing cells and physical lines", () => {
    const { table, delimiter, notes } = parseCsv('id,"city, town",age\n1,Berlin,30\n2,NA,\n\n3,"Rome\n(old)",4.5e1\n');
    expect(delimiter).toBe(",");
    expect(notes).toEqual([]);
    expect(table.columns).toEqual([
      { name: "id", kind: "numeric", values: Float64Array.of(1, 2, 3) },
      { name: "city, town", kind: "categorical", codes: Int32Array.of(0, -1, 1), levels: ["Berlin", "Rome\n(old)"] },
      { name: "age", kind: "numeric", values: Float64Array.of(30, Number.NaN, 45) },
    ]);
    expect([...(table.lines as Uint32Array)]).toEqual([2, 3, 5]);
  });

  it("takes every missing marker in any case", () => {
    const { table } = parseCsv("x,y\n NA ,1\nn/a,2\nNaN,3\nNULL,4\n?,5\n,6\n7,7\n");
    expect(table.columns[0]).toMatchObject({
      kind: "numeric",
      values: Float64Array.from([...Array(6).fill(Number.NaN), 7]),
    });
  });

  it("reads each double exactly as JavaScript does", () => {
    const spelled = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.tuple(fc.integer(), fc.nat(10 ** 9)).map(([a, b]) => `${a}.${b}`),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
      fc.constantFrom(
        "+1",
        "-0",
        ".5",
        "5.",
        "007",
        "1.50",
        "1E3",
        "9007199254740993",
        "0.1000000000000000055511151231257827",
      ),
    );
    fc.assert(
      fc.property(fc.array(spelled, { minLength: 1, maxLength: 20 }), (texts) => {
        const { table } = parseCsv(`x\n${texts.join("\n")}\n`);
        expect(table.columns[0]).toEqual({ name: "x", kind: "numeric", values: Float64Array.from(texts, Number) });
        const asText = parseCsv(`x\n${texts.join("\n")}\n${"word\n".repeat(30)}`).table.columns[0];
        expect(cells(asText, texts.length)).toEqual(texts); // a late text gives the numbers their spelling back
      }),
    );
  });

  it("takes what pandas takes for missing, None only as it is written there", () => {
    const markers =
      "#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null";
    const { table } = parseCsv(`x,y\n${markers.replaceAll("|", ",1\n")},1\n7,1\n`);
    expect(table.columns[0]).toMatchObject({ kind: "numeric" });
    expect([...(table.columns[0] as NumericColumn).values].filter((value) => !Number.isNaN(value))).toEqual([7]);
    expect(parseCsv("x,y\nnone,1\nbasic,2\n").table.columns[0]).toMatchObject({ levels: ["none", "basic"] });
  });

  it("names what makes categories of a column of numbers", () => {
    const rows = Array.from({ length: 50 }, (_, i) => (i % 5 === 3 ? "none,1" : `${i},0`)).join("\n");
    const { table, notes } = parseCsv(`x,y\n${rows}\n`);
    expect(table.columns[0].kind).toBe("categorical");
    expect(notes).toEqual([
      'Column "x" was read as categories: 40 cells are numbers, 10 not, such as "none" on line 5; empty cells are missing numbers.',
    ]);
    expect(parseCsv(`x,y\n${"0,1\n1,1\n2,0\n3+,1\n".repeat(9)}`).notes).toEqual([]);
    expect(parseCsv(`x,y\n${rows}\n`, { categorical: ["x"] }).notes).toEqual([]);
  });

  it("does not take hexadecimal, single groups or units for numbers", () => {
    for (const cell of ["0x10", "1_000", "1 00", "1.2.3", "12kg", "1e", "e5", "-", "+", ".", "1,5", "12,34,567"]) {
      expect(parseCsv(`x,y\n"${cell}",1\n`).table.columns[0].kind, cell).toBe("categorical");
    }
    for (const cell of ["192.168.100.200", "$", "5%%", "$5%", "()", "2024-01", "1,23,456"]) {
      expect(parseCsv(`x,y\n"${cell}",1\n`).table.columns[0].kind, cell).not.toBe("numeric");
    }
  });

  it("reads numbers as spreadsheets show them, and says so", () => {
    const read = (cells: string[], delimiter = ",") => {
      const { table, notes } = parseCsv(
        `x${delimiter}y\n${cells.map((cell) => `"${cell}"${delimiter}1`).join("\n")}\n`,
      );
      return { values: [...(table.columns[0] as NumericColumn).values], notes };
    };
    const thousands = ["Thousands separators were read in: x."];
    expect(read(["7,115.15", "980", "1,234,567", "-1,000"])).toEqual({
      values: [7115.15, 980, 1234567, -1000],
      notes: thousands,
    });
    expect(read(["1.234,5", "980", "1.234.567"], ";")).toEqual({
      values: [1234.5, 980, 1234567],
      notes: ["Decimal commas were read in: x.", ...thousands],
    });
    expect(read(["1 234.5", "1'234", "12"])).toEqual({ values: [1234.5, 1234, 12], notes: thousands });
    expect(read(["12.5%", "0", "-3 %", ".5%"])).toEqual({
      values: [12.5, 0, -3, 0.5],
      notes: ["Percent signs were read in: x."],
    });
    expect(read(["$1,200", "($3.50)", "-$7", "900"])).toEqual({
      values: [1200, -3.5, -7, 900],
      notes: [...thousands, "Currency signs were read in: x."],
    });
    expect(read(["12 €", "(5)"])).toEqual({ values: [12, -5], notes: ["Currency signs were read in: x."] });
  });

  it.each([
    [["12.5%", "0.3"], '"12.5%" has a percent sign, but "0.3" on line 3 has none.'],
    [["$5", "5 €"], '"5 €" has "€", but "$5" on line 2 has "$".'],
    [["1,5", "1,234,567"], '"1,234,567" has a comma between thousands, but "1,5" on line 2 has a decimal comma.'],
    [["1.5", "1.234,5"], '"1.234,5" has a decimal comma, but "1.5" on line 2 has a decimal point.'],
  ])("refuses %j: two ways of writing numbers that contradict each other", (cells, message) => {
    expect(failure(() => parseCsv(`x;y\n${cells.map((cell) => `${cell};1`).join("\n")}\n`)).message).toContain(message);
  });

  it("takes the separator that a spreadsheet names in a first line", () => {
    const { table, delimiter } = parseCsv("sep=;\r\na;b,c\r\n1;2\r\n3;x\r\n");
    expect(delimiter).toBe(";");
    expect(table.columns.map(({ name }) => name)).toEqual(["a", "b,c"]);
    expect([...(table.lines as Uint32Array)]).toEqual([3, 4]);
  });

  it("leaves out lines without a value at the end, and only there", () => {
    for (const end of [",,\n", "   \n", ",,\n , , \n \n", " , , "]) {
      const { table, notes } = parseCsv(`a,b,c\n1,2,3\n4,,x\n${end}`);
      expect(table.rows, JSON.stringify(end)).toBe(2);
      expect(table.columns[0]).toMatchObject({ values: Float64Array.of(1, 4) });
      expect(notes).toEqual(["Lines without a value at the end of the file were left out."]);
    }
    expect(parseCsv("a,b\n1,2\n,\n3,4\n").table.rows).toBe(3);
    expect(failure(() => parseCsv("a,b\n1,2\n  \n3,4\n")).message).toContain("line 3: got 1 field; expected 2.");
  });

  it.each([",", ";", "\t", "|"])("detects the delimiter %j", (delimiter) => {
    const lines = [
      ["a", "b, c", "d;e"],
      ["1", "x", "2"],
      ["3", "y", "4"],
    ];
    const text = lines.map((line) => line.map((cell) => `"${cell}"`).join(delimiter)).join("\r\n");
    const parsed = parseCsv(text);
    expect(parsed.delimiter).toBe(delimiter);
    expect(parsed.table.columns.map((column) => column.name)).toEqual(lines[0]);
  });

  it("reads decimal commas where the delimiter is no comma, and says so", () => {
    const { table, notes } = parseCsv("a;b\n1,5;x\n-2;y\n1,25e2;z\n");
    expect(table.columns[0]).toMatchObject({ kind: "numeric", values: Float64Array.of(1.5, -2, 125) });
    expect(notes).toEqual(["Decimal commas were read in: a."]);
    const error = failure(() => parseCsv("a;b\n1,5;2\n1.234;3\n"));
    expect(error.message).toBe(
      'csv, line 2, column "a": "1,5" has a decimal comma, but "1.234" on line 3 has a decimal point.',
    );
  });

  it("reads UTF-8 and UTF-16 by byte order mark, and Latin-1 with a note, however the bytes are cut", () => {
    const text = "größe,stadt\n1,Köln 😀\n2,Łódź\n";
    const latin = Uint8Array.from("größe,stadt\n1,Köln\n", (char) => char.charCodeAt(0));
    const bom = utf8.encode(`\ufeff${text}`);
    const files = [
      { bytes: utf8.encode(text), encoding: "utf-8", notes: 0, city: "Köln 😀" },
      { bytes: bom, encoding: "utf-8", notes: 0, city: "Köln 😀" },
      { bytes: utf16(text, true), encoding: "utf-16le", notes: 0, city: "Köln 😀" },
      { bytes: utf16(text, false), encoding: "utf-16be", notes: 0, city: "Köln 😀" },
      { bytes: latin, encoding: "windows-1252", notes: 1, city: "Köln" },
    ];
    for (const { bytes, encoding, notes, city } of files) {
      for (const size of [1, 2, 3, 7, bytes.length]) {
        const reader = new CsvReader();
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
        const result = reader.end();
        expect(result.encoding).toBe(encoding);
        expect(result.notes.length).toBe(notes);
        expect(result.table.columns[0].name).toBe("größe");
        expect(cellText(result.table.columns[1], 0)).toBe(city);
      }
    }
  });

  it("gives the same table however the text is cut", () => {
    const text = 'a;b;c\r\n1,5;"x;\r\ny";\r\n2;z;"q""r"\r\n;;\r\n';
    const whole = parseCsv(text);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 10 }), (cuts) => {
        const reader = new CsvReader();
        const bounds = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (let i = 1; i < bounds.length; i++) reader.push(utf8.encode(text.slice(bounds[i - 1], bounds[i])));
        expect(reader.end()).toEqual(whole);
      }),
    );
  });

  it("forces the kinds it is told and skips columns", () => {
    const text = "zip,code,note\n01234,1,a\n02345,0,b\n";
    const { table } = parseCsv(text, { categorical: ["zip"], numeric: ["code"], skip: ["note"] });
    expect(table.columns.map((column) => [column.name, column.kind])).toEqual([
      ["zip", "categorical"],
      ["code", "numeric"],
    ]);
    expect(cells(table.columns[0], 2)).toEqual(["01234", "02345"]);
    expect(failure(() => parseCsv(text, { numeric: ["note"] })).message).toContain('line 2, column "note"');
    expect(failure(() => parseCsv(text, { categorical: ["ZIP"] })).message).toContain('no column "ZIP"');
  });

  it("names unnamed columns and notes a header of numbers", () => {
    const { table, notes } = parseCsv("x,\n0,1\n");
    expect(table.columns[1].name).toBe("column_2");
    expect(notes.length).toBe(1);
    const indexed = parseCsv(",x\n0,1\n");
    expect(indexed.table.columns[0].name).toBe("Unnamed: 0");
    expect(indexed.notes).toEqual([expect.stringContaining("the index of rows that pandas writes: it is no input")]);
    expect(parseCsv(",Unnamed: 0,x\n0,0,1\n").table.columns[0].name).toBe("Unnamed: 0.1");
    expect(parseCsv("0,1\n5,6\n").notes).toEqual([
      "The first line holds only numbers; it was read as the column names.",
    ]);
  });
});

describe("bad input", () => {
  const numbers = Array.from({ length: 40 }, (_, i) => `${i},${i * 2}`).join("\n");

  it.each([
    ["empty text", "", "f.csv: the file is empty"],
    ["only a byte order mark", "\ufeff", "f.csv: the file is empty"],
    ["only line ends", "\n\r\n", "f.csv: the file is empty"],
    ["a header only", "a,b\n", "f.csv: got a header of 2 columns and no data lines"],
    ["duplicate names", "a,b,a\n1,2,3\n", 'f.csv, line 1: two columns are named "a"'],
    ["a short row", "a,b,c\n1,2,3\n4,5\n", "f.csv, line 3: got 2 fields; expected 3."],
    ["a long row", "a,b\n1,2\n\n4,5,6,7\n", "f.csv, line 4: got 4 fields; expected 2."],
    ["a text among numbers", `a,b\n${numbers}\n1,oops\n`, 'f.csv, line 42, column "b": non-numeric cell "oops"'],
    ["a text before numbers", `a,b\nkg,m\n${numbers}\n`, 'f.csv, line 2, column "a": non-numeric cell "kg"'],
    ["an infinite cell", "a,b\n1,2\n1,-inf\n", 'f.csv, line 3, column "b": "-inf" is not finite'],
    ["a cell beyond double range", "a,b\n1e999,2\n", 'f.csv, line 2, column "a": "1e999" is not finite'],
    ["an unclosed quote", 'a,b\n1,"2\n3,4\n', "f.csv, line 2: a quote opened here is never closed"],
    ["a NUL character", "a,b\n1,2\n3\0,4\n", "f.csv, line 3: got a NUL character"],
  ])("%s is a typed error", (_, text, message) => {
    const error = failure(() => parseCsv(text, { name: "f.csv" }));
    expect(error.code).toBe("E_DATA");
    expect(error.message).toContain(message);
    expect(failure(() => parseCsv(utf8.encode(text), { name: "f.csv" })).message).toBe(error.message);
  });

  it("calls a column categorical when its texts are no exception", () => {
    expect(parseCsv(`a,b\n${numbers}\n1,x\n1,y\n1,z\n`).table.columns[1].kind).toBe("categorical");
    expect(parseCsv("a,b\n1,2\n2,x\n").table.columns[1].kind).toBe("categorical");
  });

  it("settles on an error before texts fill the memory", () => {
    const reader = new CsvReader();
    reader.push("x\nkg\n");
    expect(() => {
      for (let i = 0; i < 30_000; i++) reader.push(`${i}.5\n`);
    }).toThrow('line 2, column "x": non-numeric cell "kg"');
    const spelled = new CsvReader();
    for (let i = 0; i < 20_000; i++) spelled.push(i === 0 ? "x\n" : `${i}.50\n`);
    expect(() => spelled.push(`${"x\n".repeat(20_000)}`)).toThrow('line 20001, column "x": non-numeric cell "x"');
  });

  it("refuses undecodable bytes and files that are no text", () => {
    const mixed = Uint8Array.of(...utf8.encode("é,b\n1,2\n"), 0xff, 0x2c, 0x31, 0x0a);
    expect(failure(() => parseCsv(mixed)).message).toContain("valid utf-8");
    expect(failure(() => parseCsv(utf8.encode("é\n1"), { encoding: "utf-16le" })).code).toBe("E_DATA");
    expect(failure(() => parseCsv(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0))).message).toContain("Excel workbook");
    expect(failure(() => parseCsv(Uint8Array.of(0x1f, 0x8b, 8, 0))).message).toContain("gzip");
    expect(failure(() => parseCsv(utf16("a,b\n", true).subarray(2))).message).toContain("NUL character");
  });

  it("either reads any bytes or throws a typed error", () => {
    const pieces = fc.constantFrom(...'ab01.,;\t|"\n\r\0é€', "NA", "1e999", "\ufeff", "\xff");
    const byteLists = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(pieces, { maxLength: 40 }).map((list) => utf8.encode(list.join(""))),
      fc.array(pieces, { maxLength: 40 }).map((list) => Uint8Array.from(list.join(""), (char) => char.charCodeAt(0))),
    );
    const readable = (bytes: Uint8Array) => {
      try {
        const { table } = parseCsv(bytes);
        const lengths = table.columns.map(
          (column) => (column.kind === "numeric" ? column.values : column.codes).length,
        );
        return lengths.every((length) => length === table.rows) && table.lines?.length === table.rows;
      } catch (error) {
        return error instanceof TilegradError && error.code === "E_DATA";
      }
    };
    fc.assert(fc.property(byteLists, readable), { numRuns: 3000 });
  });

  it("refuses a delimiter that is none", () => {
    for (const delimiter of ["", ",,", '"', "\n"]) {
      expect(failure(() => parseCsv("a,b\n1,2\n", { delimiter })).code).toBe("E_ARGUMENT");
    }
  });
});

describe("large input", () => {
  it("reads 10,000 columns", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
    const rows = Array.from({ length: 5 }, (_, row) => names.map((_, i) => `${row + i}`).join(";"));
    const { table, delimiter } = parseCsv(utf8.encode(`${names.join(";")}\n${rows.join("\n")}`));
    expect(delimiter).toBe(";");
    expect(table.columns.length).toBe(10_000);
    expect(table.columns[9_999]).toMatchObject({
      name: "c9999",
      values: Float64Array.of(9999, 10000, 10001, 10002, 10003),
    });
  });

  it("takes time that grows with the text: a cell of 12 MB in small pieces, a million commas", () => {
    const reader = new CsvReader();
    reader.push("a,b\n1,");
    const began = performance.now();
    reader.push('"');
    for (let i = 0; i < 3000; i++) reader.push(`${"x".repeat(4000)}\n`);
    reader.push('"\n');
    expect((reader.end().table.columns[1] as CategoricalColumn).levels[0].length).toBe(3000 * 4001 - 1);
    expect(failure(() => parseCsv(`${",".repeat(1_000_000)}\n1\n`)).message).toContain("more than 100000 columns");
    const name = "x".repeat(1_000_000);
    expect(failure(() => parseCsv(`a,${name}\n1,2\n`)).message).toContain("more than 10000 characters in a name");
    const { table } = parseCsv(`a,y\n1,yes\n2,no\n3,${name}\n`);
    expect(failure(() => chooseTarget(table, { target: "y" })).message.length).toBeLessThan(200);
    expect(performance.now() - began).toBeLessThan(5000); // minutes where each piece was looked at with all before it
    const { notes } = parseCsv(`${",".repeat(99)}\n${",".repeat(99).replace(",", "1,")}\n`);
    expect(notes[0]).toBe(
      "100 columns have no name in the header; they are called column_1, column_2, column_3, column_4, column_5, ....",
    );
  });

  it("reads a cell of a million characters, in pieces", async () => {
    const long = `${"word\n".repeat(200_000)}"`;
    const bytes = utf8.encode(`a,b\n1,"${long.replaceAll('"', '""')}"\n2,x\n`);
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    }
    const { table } = await readCsv(pieces());
    expect(cellText(table.columns[1], 0)).toBe(long.trim());
    expect([...(table.lines as Uint32Array)]).toEqual([2, 200_003]);
  });

  it("reads strings, bytes, blobs and streams alike, and stops when told", async () => {
    const text = "a,b\n1,x\n";
    const sources = [
      text,
      utf8.encode(text),
      new Blob([text]),
      new Blob([text]).stream(),
      [text.slice(0, 3), text.slice(3)],
    ];
    for (const source of sources) expect((await readCsv(source)).table.columns).toEqual(parseCsv(text).table.columns);
    const error = await readCsv(text, { signal: AbortSignal.abort() }).catch((caught: TilegradError) => caught);
    expect(error).toMatchObject({ code: "E_ABORTED" });
  });
});

/** 20,000 rows of 24 numbers: whole ones large and small, fractions, some with an exponent. */
function numbers(): Buffer {
  const draw = draws(1, 0);
  const lines = [Array.from({ length: 24 }, (_, i) => `x${i}`).join()];
  for (let row = 0; row < 20_000; row++) {
    const values = Array.from({ length: 24 }, (_, column) => {
      const at = row * 24 + column;
      const size = 10 ** ((column % 12) - 4);
      return column < 12 ? draw.integer(at, 2 ** 20) - 2 ** 10 : draw.normal(at) * size;
    });
    lines.push(values.map((value, column) => (column % 5 === 4 ? value.toExponential() : value)).join());
  }
  return Buffer.from(lines.join("\n"));
}

const readFixture = (name: string) => readFileSync(new URL(name, import.meta.url));

describe("whole tables", () => {
  it.each([
    ["breast_cancer.csv", readFixture("../../demo/data/breast_cancer.csv"), 569, 31],
    ["generated.csv", numbers(), 20_000, 24],
    ["digits.csv", gunzipSync(readFixture("fixtures/digits.csv.gz")), 1797, 65],
  ])("%s is all numeric and complete", (file, text, rows, columns) => {
    const { table } = parseCsv(text, { name: file });
    expect([table.rows, table.columns.length]).toEqual([rows, columns]);
    const lines = text
      .toString()
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(","));
    for (const [i, column] of table.columns.entries()) {
      expect(column.kind).toBe("numeric");
      if (column.kind !== "numeric") continue;
      expect(column.values.every((value, row) => value === Number(lines[row + 1][i]))).toBe(true);
    }
  });
});
