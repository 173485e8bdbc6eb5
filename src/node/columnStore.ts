/** A table on disk, column by column: one column, or some rows, are in memory at a time. */
import type { Column, Table } from "../data/table.ts";
import type { Scratch, ScratchFile } from "./scratch.ts";

/** More levels than this are of no use as inputs, and no longer kept. */
const MOST_LEVELS = 100_000;

/** A table whose columns are read when they are looked at; the one looked at last stays in memory. */
export interface StoredTable extends Table {
  readonly onDisk: true;
  /** Rows [start, end) as a table in memory. */
  slice(start: number, end: number): Table;
}

type Numbers = Float64Array | Int32Array | Uint32Array;
type Kind = Column["kind"] | "date" | "line" | "unused";

interface Stored {
  readonly name: string;
  /** The first block's, until a cell has a value. */
  kind: Kind;
  empty: boolean;
  readonly levels: Map<string, number>;
}

interface Block {
  readonly start: number;
  readonly rows: number;
  /** Of each column, the line numbers last, where its values begin; null where all are missing or none is kept. */
  readonly places: readonly (number | null)[];
}

/** Collects blocks of rows, in order. */
export class ColumnStore {
  private readonly file: ScratchFile;
  private readonly unused: ReadonlySet<string>;
  private readonly blocks: Block[] = [];
  /** Columns whose first text, or the end of their dates, came late: the store is of no use. */
  readonly late = new Set<string>();
  private columns: Stored[] = [];
  private name = "";
  private rows = 0;

  /** @param unused columns of which the name is enough */
  constructor(scratch: Scratch, unused: readonly string[]) {
    this.file = scratch.file();
    this.unused = new Set(unused);
  }

  add(block: Table): void {
    if (this.blocks.length === 0) {
      this.name = block.name;
      this.columns = block.columns.map(({ name, kind }) => ({
        name,
        kind: this.unused.has(name) ? "unused" : kind,
        empty: true,
        levels: new Map(),
      }));
    }
    if (block.rows === 0) return;
    const places: (number | null)[] = [];
    for (const [i, column] of block.columns.entries()) {
      const stored = this.columns[i];
      const { levels } = stored;
      if (stored.kind === "unused" || levels.size > MOST_LEVELS || isEmpty(column)) {
        places.push(null);
        continue;
      }
      if (!agrees(stored, column)) this.late.add(stored.name);
      if (this.late.size > 0) continue;
      if (column.kind === "numeric") places.push(this.file.append(column.values));
      else {
        for (const level of column.levels) if (!levels.has(level)) levels.set(level, levels.size);
        const codes = column.levels.map((level) => levels.get(level) as number);
        places.push(this.file.append(column.codes.map((code) => (code < 0 ? -1 : codes[code]))));
      }
    }
    if (block.lines) places.push(this.file.append(block.lines));
    this.blocks.push({ start: this.rows, rows: block.rows, places });
    this.rows += block.rows;
  }

  finish(): StoredTable {
    const { name, rows } = this;
    const slice = (start: number, end: number): Table => this.table(start, end, eachOnce);
    return Object.assign(this.table(0, rows, lastOnly), { name, rows, slice, onDisk: true } as const);
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
      const [place, part] = [places[column], values.subarray(from - start, to - start)];
      if (place === null) part.fill(Elements === Float64Array ? Number.NaN : -1);
      else this.file.readInto(part, place + Elements.BYTES_PER_ELEMENT * (from - first));
    }
    return values;
  }
}

/** A column without any value has no kind of its own. */
const isEmpty = (column: Column): boolean =>
  column.kind === "numeric" ? column.values.every(Number.isNaN) : column.codes.every((code) => code < 0);

/** Whether the next block of a column, which has values, goes with those before. */
function agrees(stored: Stored, column: Column): boolean {
  const kind = column.kind === "numeric" && column.date ? "date" : column.kind;
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
  const left = kind === "unused" ? kind : levels.size > MOST_LEVELS ? "too many levels" : undefined;
  if (left) return { ...base, levels: [], codes: new Int32Array(0), left };
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
