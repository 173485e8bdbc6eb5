/** What a trimmed cell is. */
export type CellKind = "number" | "missing" | "infinite" | "text";

/** pandas' list in lower case, and "?"; of pandas' it lacks "None", which is a level where it is written "none". */
const MISSING = new Set(
  "na n/a nan -nan null ? <na> #na #n/a 1.#ind -1.#ind 1.#qnan -1.#qnan".split(" ").concat("#n/a n/a"),
);
const NONE = "None";
const LONGEST_MISSING = 8;
const LONGEST_NUMBER = 400;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;
/** What numbers of all kinds look like: nearly every text is told apart by its first characters. */
const NUMBERLIKE = /^[-+(]?\D? ?[\d.,][\d.,'’ \u00a0\u202f]*(?:e[-+]?\d+)? ?\D?\)?$/i;
const CURRENCIES = "$€£¥₹";
/** A sign, a currency sign before or a unit after, and what may be the digits between. */
const SIGNED = /^([+-]?)([^\d.,\s]?) ?([\d.,](?:.*[\d.,])?) ?([^\d.,\s]?)$/;
/** 1,234,567.5 or 1'234 567,5: groups of three between equal separators, then decimals after another. */
const GROUPED = /^\d{1,3}(?<group>[,. '’\u00a0\u202f])\d{3}(?:\k<group>\d{3})*(?:(?<point>[.,])\d*)?$/;
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
 * A number is a decimal such as -1.5, .5 or 2e-3 (with `decimalComma` also -1,5). As spreadsheets show numbers, it may have
 * thousands separators (1,234.5), a currency sign ($12, 12 €) or a percent sign (12.5% is 12.5), and be negative by
 * parentheses, (12); hexadecimal and other units are text. Missing: an empty cell, what pandas takes for missing (NA, N/A, NaN,
 * NULL, <NA>, #N/A, 1.#IND ... in any case, None as it is written here), and "?". Decimals beyond double range are infinite.
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
  /** The thousands separator seen. */
  grouping = "";
  /** The currency or percent sign seen. */
  unit = "";

  constructor(decimalComma: boolean) {
    this.decimalComma = decimalComma;
  }

  read(text: string, start: number, end: number): CellKind {
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    this.start = start;
    this.end = end;
    this.separator = "";
    this.grouping = "";
    this.unit = "";
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

  /** Everything but a plain decimal: exponents, many digits, markers, numbers as spreadsheets show them, text. */
  private rare(cell: string): CellKind {
    if (cell === NONE || (cell.length <= LONGEST_MISSING && MISSING.has(cell.toLowerCase())))
      return this.other("missing");
    if (INFINITE.test(cell)) return this.other("infinite");
    if (cell.length > LONGEST_NUMBER || !NUMBERLIKE.test(cell)) return this.other("text");
    const bare = this.withoutSigns(cell);
    const decimal = this.withPoint(bare);
    if (!DECIMAL.test(decimal)) return this.other("text");
    this.value = Number(decimal);
    if (!Number.isFinite(this.value)) return this.other("infinite");
    this.canonical = String(this.value) === cell;
    return "number";
  }

  /** The cell without its currency or percent sign, and with a minus for its parentheses. */
  private withoutSigns(cell: string): string {
    const inner = /^\(([^-+]+)\)$/.exec(cell)?.[1];
    const [, sign, before, digits, after] = SIGNED.exec(inner ?? cell) ?? [];
    const unit = before || after;
    const known = unit ? CURRENCIES.includes(unit) || after === "%" : inner !== undefined;
    if (digits === undefined || !known || (before && after)) return cell;
    this.unit = unit;
    return (inner === undefined ? sign : "-") + digits;
  }

  /** Digits without thousands separators, and with a point for the decimal separator. */
  private withPoint(text: string): string {
    const digits = text.replace(/^[+-]/, "");
    const { group = "", point = "" } = GROUPED.exec(digits)?.groups ?? {};
    // A single group after what separates decimals here is decimals.
    const decimals = group === "." || (group === "," && this.decimalComma);
    const isGrouped =
      group !== "" && group !== point && !(decimals && point === "" && digits.split(group).length === 2);
    const comma = point === "," || group === "." || (!isGrouped && digits.includes(",") && !digits.includes("."));
    if (comma && !this.decimalComma) return text;
    this.grouping = isGrouped ? group : "";
    const whole = isGrouped ? text.replaceAll(group, "") : text;
    this.separator = whole.includes(",") ? "," : whole.includes(".") ? "." : "";
    return whole.replace(",", ".");
  }

  private other(kind: CellKind): CellKind {
    this.value = Number.NaN;
    this.canonical = false;
    this.separator = "";
    this.grouping = "";
    this.unit = "";
    return kind;
  }
}

const plainReader = new CellReader(false);

/** The number a label or level spells, or NaN when it is none: "1.0" and " 1" are 1; "1,000" and "5%" are names. */
export function numberOf(text: string): number {
  const isNumber = plainReader.read(text, 0, text.length) === "number";
  return isNumber && plainReader.unit === "" && plainReader.grouping === "" ? plainReader.value : Number.NaN;
}

/** A cell for an error message: quoted, at most 40 characters. */
export function quoteCell(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 37)}...` : cell);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 0xa0 || code === 10 || code === 13;
}
