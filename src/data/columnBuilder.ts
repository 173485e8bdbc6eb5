import { TilegradError } from "../errors.ts";
import { daysOf } from "./date.ts";
import { type CellReader, quoteCell } from "./number.ts";
import type { Column } from "./table.ts";

/** Shares above which a column is numeric with mistakes in it rather than categorical; one odd cell may weigh more. */
const MOSTLY_NUMERIC = 0.95;
const MOSTLY_NUMERIC_BUT_ONE = 0.9;
/** How many numbers settle the type of a column early, so that a long file cannot fill the memory with texts first. */
const SETTLED = 20_000;
/** Longest level that is copied out of the chunk it was read from. */
const COPIED_LEVEL = 256;
/** A categorical column of more levels, most of whose cells are numbers, was probably meant to be numeric. */
const MANY_LEVELS = 20;
const MEANT_NUMERIC = 0.5;

interface Place {
  readonly line: number;
  readonly cell: string;
}

/**
 * Collects one column, cell by cell. It starts as f64 values and turns into dictionary codes at its first text cell;
 * the numbers before it get back the spelling they had (only spellings that `String(value)` lacks are remembered).
 *
 * Inferred type: numeric if no cell is text, categorical otherwise. But text in a column of at least 95 % numbers (90 %
 * when it is a single cell) is an error, and so is text after more than `maxSpelled` oddly spelled numbers; the share
 * is judged at the end and every 20,000 numbers. A column of ISO dates alone is numeric, too.
 */
export class ColumnBuilder {
  readonly name: string;
  private readonly file: string;
  private readonly forced: Column["kind"] | undefined;
  private readonly maxSpelled: number;
  private rows = 0;
  private values = new Float64Array(16);
  private codes: Int32Array | null = null;
  private dictionary = new Map<string, number>();
  private spelled: Map<number, string> | null = new Map();
  private numbers = 0;
  private texts = 0;
  private firstText: Place | null = null;
  private firstInfinite: Place | null = null;
  /** The first cell of each way of writing numbers: its decimal separator, and that of a number but 0 without any sign. */
  private firstPoint: Place | null = null;
  private firstComma: Place | null = null;
  private firstBare: Place | null = null;
  /** The same by thousands separator and by currency or percent sign. */
  private readonly firstGroup = new Map<string, Place>();
  private readonly firstUnit = new Map<string, Place>();

  /** `maxSpelled`: how many odd spellings ("007", "1.50") are remembered in case the column proves categorical. */
  constructor(name: string, options: { file: string; forced?: Column["kind"]; maxSpelled: number }) {
    this.name = name;
    this.file = options.file;
    this.forced = options.forced;
    this.maxSpelled = options.maxSpelled;
    if (this.forced === "categorical") this.becomeCategorical();
    if (this.forced === "numeric") this.spelled = null;
  }

  /** The next row's cell, text[start, end), of the row that begins on `line`. @throws E_DATA */
  add(reader: CellReader, text: string, start: number, end: number, line: number): void {
    const kind = reader.read(text, start, end);
    if (kind === "number") this.numbers++;
    const isText = kind === "text";
    if (isText) this.addText(text.slice(reader.start, reader.end), line);
    if (this.codes) this.addCode(this.codes, kind === "missing" ? "" : text.slice(reader.start, reader.end));
    else this.addValue(reader, kind === "infinite", text, line);
    this.rows++;
    if (kind === "number" && this.texts > 0 && this.numbers % SETTLED === 0) this.checkMostlyNumeric();
  }

  /** The finished column, its first `count` rows. @throws E_DATA for text or infinity in a numeric column, or two decimal separators. */
  finish(count: number): Column {
    this.checkMostlyNumeric();
    if (!this.codes) this.checkNumbers();
    return this.take(count);
  }

  /** The first `count` rows, which are then forgotten; what they told of the column's type is not. */
  take(count: number): Column {
    const { name, rows, codes, spelled } = this;
    const left = rows - count;
    this.rows = left;
    if (!codes) {
      const column = { name, kind: "numeric" as const, values: this.values.slice(0, count) };
      this.values.copyWithin(0, count, rows);
      const cells = Array.from({ length: left }, (_, i) => spelled?.get(count + i));
      spelled?.clear();
      for (const [row, cell] of cells.entries()) if (cell !== undefined) spelled?.set(row, cell);
      return column;
    }
    const levels = [...this.dictionary.keys()];
    const column = { name, kind: "categorical" as const, codes: codes.slice(0, count), levels };
    this.dictionary = new Map();
    for (let i = 0; i < left; i++) codes[i] = this.codeOf(levels[codes[count + i]] ?? "");
    const days = this.forced || levels.length === 0 ? [] : levels.map(daysOf);
    if (days.length === 0 || days.some(Number.isNaN)) return column;
    const values = Float64Array.from(column.codes, (code) => (code < 0 ? Number.NaN : days[code]));
    return { name, kind: "numeric", values, date: true };
  }

  private checkNumbers(): void {
    const infinite = this.firstInfinite;
    if (infinite) {
      throw this.error(infinite, `${quoteCell(infinite.cell)} is not finite; expected a finite number`, {
        hint: "Leave the cell empty if the value is missing.",
      });
    }
    const { firstPoint, firstComma, firstGroup, firstUnit } = this;
    this.checkOneWay(firstComma, "a decimal comma", firstPoint, "has a decimal point");
    this.checkOneWay(firstGroup.get(","), "a comma between thousands", firstComma, "has a decimal comma");
    this.checkOneWay(firstGroup.get("."), "a point between thousands", firstPoint, "has a decimal point");
    const [[unit, first] = [], [other, second] = []] = [...firstUnit];
    if (unit !== undefined) this.checkOneWay(second, `"${other}"`, first, `has "${unit}"`);
    this.checkOneWay(firstUnit.get("%"), "a percent sign", this.firstBare, "has none");
  }

  /** @throws E_DATA when one cell is written in one way and another in a way that contradicts it */
  private checkOneWay(
    place: Place | null | undefined,
    has: string,
    other: Place | null | undefined,
    but: string,
  ): void {
    if (!place || !other) return;
    const there = `${quoteCell(other.cell)} on line ${other.line} ${but}`;
    throw this.error(place, `${quoteCell(place.cell)} has ${has}, but ${there}`, {
      hint: "Write all numbers of a column one way.",
    });
  }

  /** How numbers are written here, where a user should know that it was understood: in words. */
  get spellings(): string[] {
    if (this.codes) return [];
    const units = [...this.firstUnit.keys()];
    return [
      ...(this.firstComma ? ["Decimal commas"] : []),
      ...(this.firstGroup.size > 0 ? ["Thousands separators"] : []),
      ...(units.includes("%") ? ["Percent signs"] : []),
      ...(units.some((unit) => unit !== "%") ? ["Currency signs"] : []),
    ];
  }

  /** What to tell of a column of numbers that some texts have made one of categories; or null. */
  get meantNumeric(): string | null {
    const { codes, forced, firstText, numbers, texts, name } = this;
    if (!codes || forced || !firstText || this.dictionary.size <= MANY_LEVELS) return null;
    if (numbers < MEANT_NUMERIC * (numbers + texts)) return null;
    const counts = `${numbers} cells are numbers, ${texts} not, such as ${quoteCell(firstText.cell)} on line ${firstText.line}`;
    return `Column ${JSON.stringify(name)} was read as categories: ${counts}; empty cells are missing numbers.`;
  }

  private addText(cell: string, line: number): void {
    this.texts++;
    this.firstText ??= { line, cell };
    if (this.codes) return;
    if (this.forced === "numeric" || !this.spelled) throw this.notANumber(this.firstText);
    this.becomeCategorical();
  }

  private addValue(reader: CellReader, infinite: boolean, text: string, line: number): void {
    if (this.rows === this.values.length) this.values = grown(this.values, new Float64Array(this.rows * 2));
    this.values[this.rows] = infinite ? Number.POSITIVE_INFINITY : reader.value;
    if (infinite) this.firstInfinite ??= placeOf(reader, text, line);
    if (reader.separator === ",") this.firstComma ??= placeOf(reader, text, line);
    if (reader.separator === ".") this.firstPoint ??= placeOf(reader, text, line);
    if (reader.grouping !== "" || reader.unit !== "") this.noteSigns(reader, text, line);
    else if (reader.value < 0 || reader.value > 0) this.firstBare ??= placeOf(reader, text, line);
    const isPresent = infinite || !Number.isNaN(reader.value);
    if (reader.canonical || !isPresent || !this.spelled) return;
    this.spelled.set(this.rows, copied(text.slice(reader.start, reader.end)));
    if (this.spelled.size > this.maxSpelled) this.spelled = null;
  }

  private noteSigns(reader: CellReader, text: string, line: number): void {
    const { grouping, unit } = reader;
    if (grouping !== "" && !this.firstGroup.has(grouping)) this.firstGroup.set(grouping, placeOf(reader, text, line));
    if (unit !== "" && !this.firstUnit.has(unit)) this.firstUnit.set(unit, placeOf(reader, text, line));
    if (unit === "") this.firstBare ??= placeOf(reader, text, line);
  }

  private addCode(codes: Int32Array, cell: string): void {
    const room = this.rows < codes.length ? codes : grown(codes, new Int32Array(this.rows * 2));
    this.codes = room;
    room[this.rows] = this.codeOf(cell);
  }

  private codeOf(cell: string): number {
    if (cell === "") return -1;
    const known = this.dictionary.get(cell);
    if (known !== undefined) return known;
    this.dictionary.set(copied(cell), this.dictionary.size);
    return this.dictionary.size - 1;
  }

  private becomeCategorical(): void {
    const codes = new Int32Array(this.values.length);
    for (let row = 0; row < this.rows; row++) {
      const value = this.values[row];
      codes[row] = this.codeOf(this.spelled?.get(row) ?? (Number.isNaN(value) ? "" : String(value)));
    }
    this.codes = codes;
    this.values = new Float64Array(0);
    this.spelled = null;
  }

  private checkMostlyNumeric(): void {
    if (!this.firstText || this.forced === "categorical") return;
    const share = this.numbers / (this.numbers + this.texts);
    if (share >= (this.texts === 1 ? MOSTLY_NUMERIC_BUT_ONE : MOSTLY_NUMERIC)) throw this.notANumber(this.firstText);
  }

  private notANumber(place: Place): TilegradError {
    const counts = this.forced ? "" : ` (${this.numbers} cells are numbers, ${this.texts} not)`;
    return this.error(
      place,
      `non-numeric cell ${quoteCell(place.cell)} in a numeric column; expected a number${counts}`,
      {
        hint: this.forced
          ? "Mend the cell, or leave it empty if it is missing."
          : `Mend the cell, or leave it empty if it is missing; if these are categories, say so: --categorical ${this.name} (option \`categorical\`).`,
      },
    );
  }

  private error(place: Place, message: string, options: { hint: string }): TilegradError {
    const where = `${this.file}, line ${place.line}, column ${JSON.stringify(this.name)}`;
    return new TilegradError("E_DATA", `${where}: ${message}.`, options);
  }
}

function placeOf(reader: CellReader, text: string, line: number): Place {
  return { line, cell: copied(text.slice(reader.start, reader.end)) };
}

function grown<T extends Float64Array | Int32Array>(full: T, larger: T): T {
  larger.set(full);
  return larger;
}

/** The same characters in a string of their own: a slice would keep the whole chunk it came from in memory. */
function copied(cell: string): string {
  if (cell.length > COPIED_LEVEL) return cell;
  const codes: number[] = [];
  for (let i = 0; i < cell.length; i++) codes.push(cell.charCodeAt(i));
  return String.fromCharCode(...codes);
}
