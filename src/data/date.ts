/** Dates in tables: ISO 8601 dates and timestamps as days since 1970-01-01, UTC where no zone is given. */

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/;
const DAY = 86_400_000;

/** The days of "2024-05-01" or "2024-05-01 12:30:00+02:00", or NaN for any other text. */
export function daysOf(text: string): number {
  const match = ISO.exec(text);
  if (!match) return Number.NaN;
  const [, day, time, zone = "Z"] = match;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // The 30th of February becomes a day in March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return Number.NaN;
  if (time === undefined) return midnight / DAY;
  const offset = zone === "Z" ? zone : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  return Date.parse(`${day}T${time.length === 5 ? `${time}:00` : time}${offset}`) / DAY;
}

/** The date, with its time of day where it has one. */
export function dateText(days: number): string {
  const text = new Date(Math.round(days * DAY)).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.replace(".000Z", "Z");
}
