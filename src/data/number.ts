/** What a trimmed cell is. */
export type CellKind = "number" | "missing" | "infinite" | "text";

const MISSING = new Set(["na", "n/a", "nan", "null", "?"]);
const LONGEST_MISSING = 4;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;
const POINT = 46;
const COMMA = 44;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;

/** 10^0 .. 10^22, the powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/**
 * Reads one cell at a time into its fields, without allocating for plain decimals.
 *
 * A number is a decimal such as -1.5, .5 or 2e-3 (with `decimalComma` also -1,5); hexadecimal, thousands separators and
 * units are text. Missing: an empty cell, NA, N/A, NaN, null, ? in any case. Decimals beyond double range are infinite.
 */
export class CellReader {
  private readonly decimalComma: boolean;
  /** The cell without surrounding blanks is text[start, end). */
  start = 0;
  end = 0;
  /** The number read; NaN for a missing cell or text. */
  value = Number.NaN;
  /** Whether `String(value)` gives the cell's very characters back. */
  canonical = false;
  /** The decimal separator seen. */
  separator: "" | "." | "," = "";

  constructor(decimalComma: boolean) {
    this.decimalComma = decimalComma;
  }

  read(text: string, start: number, end: number): CellKind {
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    this.start = start;
    this.end = end;
    this.separator = "";
    if (start === end) return this.other("missing");
    return this.plain(text, start, end) ? "number" : this.rare(text.slice(start, end));
  }

  /** [+-]digits[.digits] of up to 2^53: value = digits / 10^decimals, two exact doubles, so correctly rounded once. */
  private plain(text: string, start: number, end: number): boolean {
    const sign = text.charCodeAt(start);
    const first = sign === MINUS || sign === PLUS ? start + 1 : start;
    let digits = 0;
    let mantissa = 0;
    let point = -1;
    for (let at = first; at < end; at++) {
      const code = text.charCodeAt(at);
      const digit = code - ZERO;
      if (digit >= 0 && digit <= 9) {
        mantissa = mantissa * 10 + digit;
        digits++;
      } else if (point < 0 && (code === POINT || (code === COMMA && this.decimalComma))) {
        point = at;
      } else {
        return false;
      }
    }
    const decimals = point < 0 ? 0 : end - point - 1;
    if (digits === 0 || mantissa > Number.MAX_SAFE_INTEGER || decimals >= POWERS.length) return false;
    const size = decimals === 0 ? mantissa : mantissa / POWERS[decimals];
    this.value = sign === MINUS ? -size : size;
    if (point >= 0) this.separator = text.charCodeAt(point) === COMMA ? "," : ".";
    const whole = (point < 0 ? end : point) - first;
    this.canonical =
      digits <= 15 &&
      sign !== PLUS &&
      (sign !== MINUS || mantissa > 0) &&
      this.separator !== "," &&
      whole > 0 &&
      (whole === 1 || text.charCodeAt(first) !== ZERO) &&
      (point < 0 || (decimals > 0 && size >= 1e-6 && text.charCodeAt(end - 1) !== ZERO));
    return true;
  }

  /** Everything but a plain decimal: exponents, many digits, markers, text. */
  private rare(cell: string): CellKind {
    if (cell.length <= LONGEST_MISSING && MISSING.has(cell.toLowerCase())) return this.other("missing");
    const comma = this.decimalComma && cell.includes(",") && !cell.includes(".");
    const decimal = comma ? cell.replace(",", ".") : cell;
    if (!DECIMAL.test(decimal)) return this.other(INFINITE.test(cell) ? "infinite" : "text");
    this.value = Number(decimal);
    if (!Number.isFinite(this.value)) return this.other("infinite");
    this.separator = comma ? "," : decimal.includes(".") ? "." : "";
    this.canonical = !comma && String(this.value) === cell;
    return "number";
  }

  private other(kind: CellKind): CellKind {
    this.value = Number.NaN;
    this.canonical = false;
    return kind;
  }
}

const plainReader = new CellReader(false);

/** The number a label or level spells, or NaN when it is none: "1.0" and " 1" are 1. */
export function numberOf(text: string): number {
  return plainReader.read(text, 0, text.length) === "number" ? plainReader.value : Number.NaN;
}

/** A cell for an error message: quoted, at most 40 characters. */
export function quoteCell(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 37)}...` : cell);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 0xa0 || code === 10 || code === 13;
}
