/** A table on disk, column by column: one column, or some rows, are in memory at a time. */
import type { Column, Table } from "../data/table.ts";
import type { Scratch, ScratchFile } from "./scratch.ts";

/** More levels than this are of no use as inputs, and no longer kept. */
const MOST_LEVELS = 100_000;

/** A table whose columns are read when they are looked at; the one looked at last stays in memory. */
export interface StoredTable extends Table {
  /** Rows [start, end) as a table in memory. */
  slice(start: number, end: number): Table;
}

export const isStored = (table: Table): table is StoredTable => "slice" in table;

type Numbers = Float64Array | Int32Array | Uint32Array;
type Kind = Column["kind"] | "date" | "line" | "unused";

interface Stored {
  readonly name: string;
  kind: Kind;
  /** No cell so far had a value: numbers may still prove to be dates. */
  empty: boolean;
  readonly levels: Map<string, number>;
}

interface Block {
  readonly start: number;
  readonly rows: number;
  /** Of each column, the line numbers last, where its values begin; NaN for none. */
  readonly places: readonly number[];
}

/** Collects blocks of rows, in order. */
export class ColumnStore {
  private readonly file: ScratchFile;
  private readonly unused: ReadonlySet<string>;
  private readonly blocks: Block[] = [];
  private columns: Stored[] = [];
  private name = "";
  private rows = 0;

  /** @param unused columns of which the name is enough */
  constructor(scratch: Scratch, name: string, unused: readonly string[]) {
    this.file = scratch.file(name);
    this.unused = new Set(unused);
  }

  /** Gives the column that was numeric before and is categorical now, if there is one; the store is then of no use. */
  add(block: Table): string | null {
    if (this.blocks.length === 0) {
      this.name = block.name;
      this.columns = block.columns.map(({ name, kind }) => ({
        name,
        kind: this.unused.has(name) ? "unused" : kind,
        empty: true,
        levels: new Map(),
      }));
    }
    const places: number[] = [];
    for (const [i, column] of block.columns.entries()) {
      const stored = this.columns[i];
      if (stored.kind !== "unused" && !agrees(stored, column)) return stored.name;
      const { kind, levels } = stored;
      if (kind === "unused" || levels.size > MOST_LEVELS) places.push(Number.NaN);
      else if (column.kind === "numeric") places.push(this.file.append(column.values));
      else {
        for (const level of column.levels) if (!levels.has(level)) levels.set(level, levels.size);
        const codes = column.levels.map((level) => levels.get(level) as number);
        places.push(this.file.append(column.codes.map((code) => (code < 0 ? -1 : codes[code]))));
      }
    }
    if (block.lines) places.push(this.file.append(block.lines));
    this.blocks.push({ start: this.rows, rows: block.rows, places });
    this.rows += block.rows;
    return null;
  }

  finish(): StoredTable {
    const { name, rows } = this;
    const slice = (start: number, end: number): Table => this.table(start, end, eachOnce);
    return Object.assign(this.table(0, rows, lastOnly), { name, rows, slice });
  }

  /** Rows [start, end); `hold` decides which columns stay in memory. */
  private table(start: number, end: number, hold: (read: Read) => Read): Table {
    const { name, columns, blocks } = this;
    const read = hold((column) => this.read(column, columns[column]?.kind ?? "line", start, end));
    const table: Table = {
      name,
      rows: end - start,
      columns: columns.map((column, i) => columnFrom(column, () => read(i))),
    };
    const lined = blocks[0].places.length > columns.length;
    return lined ? lazily(table, "lines", () => read(columns.length) as Uint32Array) : table;
  }

  private read(column: number, kind: Kind, start: number, end: number): Numbers {
    const Elements = kind === "numeric" || kind === "date" ? Float64Array : kind === "line" ? Uint32Array : Int32Array;
    const values = new Elements(end - start);
    for (const { start: first, rows, places } of this.blocks) {
      const [from, to] = [Math.max(start, first), Math.min(end, first + rows)];
      if (from >= to) continue;
      const at = places[column] + Elements.BYTES_PER_ELEMENT * (from - first);
      this.file.readInto(values.subarray(from - start, to - start), at);
    }
    return values;
  }
}

/** Whether the next block of a column goes with those before. */
function agrees(stored: Stored, column: Column): boolean {
  if (column.kind === "categorical") return stored.kind === "categorical";
  if (stored.kind === "categorical") return false;
  if (column.values.every(Number.isNaN)) return true;
  const kind = column.date ? "date" : "numeric";
  if (stored.empty) stored.kind = kind;
  stored.empty = false;
  return stored.kind === kind;
}

function columnFrom({ name, kind, levels }: Stored, read: () => Numbers): Column {
  if (kind === "numeric" || kind === "date") {
    const known = { name, kind: "numeric" as const, ...(kind === "date" ? { date: true } : {}) };
    return lazily(known, "values", () => read() as Float64Array);
  }
  const base = { name, kind: "categorical" } as const;
  if (levels.size > MOST_LEVELS) return { ...base, levels: [], codes: new Int32Array(0), overflow: true };
  if (kind === "unused") return { ...base, levels: [], codes: new Int32Array(0) };
  return lazily({ ...base, levels: [...levels.keys()] }, "codes", () => read() as Int32Array);
}

type Read = (column: number) => Numbers;

/** Remembers the column read last. */
function lastOnly(read: Read): Read {
  let last = -1;
  let values: Numbers = new Int32Array(0);
  return (column) => {
    if (column !== last) {
      values = new Int32Array(0); // two at once would take twice the memory
      values = read(column);
      last = column;
    }
    return values;
  };
}

function eachOnce(read: Read): Read {
  const known = new Map<number, Numbers>();
  return (column) => {
    const values = known.get(column) ?? read(column);
    known.set(column, values);
    return values;
  };
}

function lazily<T extends object, K extends string, V>(object: T, key: K, get: () => V): T & Record<K, V> {
  return Object.defineProperty(object, key, { get, enumerable: true }) as T & Record<K, V>;
}
