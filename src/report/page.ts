/** A page that opens without a network: its parts as HTML text, and the style they share. */
import { escapeText } from "./svg.ts";
import { darkRules, fontFamily } from "./theme.ts";

/** HTML text, apart from text that is still to be escaped. */
export interface Html {
  readonly html: string;
}

const raw = (html: string): Html => ({ html });
const textOf = (part: Html | string): string => (typeof part === "string" ? escapeText(part) : part.html);

/** A whole document. `data` lies in it as JSON, so that the numbers can be read again. */
export function page(options: {
  readonly title: string;
  readonly header: readonly (Html | string)[];
  readonly sections: readonly Html[];
  readonly footer: string;
  readonly data: unknown;
}): string {
  const { title, header, sections, footer, data } = options;
  // A tag inside a string must not end the script; JSON reads \u003c as the same character.
  const json = JSON.stringify(data).replace(/</g, "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>${header.map(textOf).join("")}</header>
<main>
${sections.map(({ html }) => html).join("\n")}
</main>
<footer>${escapeText(footer)}</footer>
<script type="application/json" id="result">${json}</script>
</body>
</html>
`;
}

/** An element around parts; plain strings are escaped. */
export const tag = (name: string, ...parts: readonly (Html | string)[]): Html =>
  raw(`<${name}>${parts.map(textOf).join("")}</${name.split(" ")[0]}>`);

export const section = (id: string, title: string, ...parts: readonly Html[]): Html =>
  raw(`<section id="${id}"><h2>${escapeText(title)}</h2>${parts.map(({ html }) => html).join("")}</section>`);

/** Plots (SVG text) side by side where there is room. */
export const plots = (...svgs: readonly (string | null)[]): Html =>
  raw(`<div class="plots">${svgs.map((svg) => (svg === null ? "" : `<figure>${svg}</figure>`)).join("")}</div>`);

/** Large figures, each with what it is and a note. */
export const tiles = (entries: readonly { value: string; name: string; note: string }[]): Html =>
  raw(
    `<dl class="tiles">${entries
      .map(
        ({ value, name, note }) => `<div>${tag("dt", name).html}${tag("dd", value).html}${tag("p", note).html}</div>`,
      )
      .join("")}</dl>`,
  );

/** A table, with a header or none; the first column is text, others are numbers unless named in `text`. `strong` is a row to be seen first. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly strong?: number; readonly text?: readonly number[] } = {},
): Html {
  const cell = (name: "th" | "td", text: string, j: number): string => {
    const left = j === 0 || options.text?.includes(j) ? ' class="text"' : "";
    return `<${name}${left}>${escapeText(text)}</${name}>`;
  };
  const line = (name: "th" | "td", cells: readonly string[], strong = false): string =>
    `<tr${strong ? ' class="strong"' : ""}>${cells.map((text, j) => cell(name, text, j)).join("")}</tr>`;
  const head = header.length > 0 ? `<thead>${line("th", header)}</thead>` : "";
  const body = rows.map((cells, i) => line("td", cells, i === options.strong)).join("");
  const wide = Math.max(header.length, ...rows.map((cells) => cells.length)) > 7 ? ' class="wide"' : "";
  return raw(`<div class="scroll"><table${wide}>${head}<tbody>${body}</tbody></table></div>`);
}

const STYLE = `
:root{--page:#f7f8fa;--card:#fff;--line:#e4e7ec;--text:#344054;--soft:#667085;--strong:#101828;--accent:#2f6fdf;--tint:#eef4ff}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 ${fontFamily};font-variant-numeric:tabular-nums}
header,main,footer{max-width:1060px;margin:0 auto;padding:0 28px}
header{padding-top:52px}
h1{margin:6px 0 8px;color:var(--strong);font-size:32px;line-height:1.2;font-weight:650;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{margin:0 0 14px;color:var(--strong);font-size:20px;font-weight:620;letter-spacing:-.01em}
h3{margin:22px 0 8px;color:var(--strong);font-size:15px;font-weight:600}
p{margin:0 0 14px;max-width:74ch}
.eyebrow{margin:0;color:var(--accent);font-size:13px;font-weight:600}
.soft{color:var(--soft);font-size:13.5px}
.verdict{font-size:18px;line-height:1.5;color:var(--strong);margin:22px 0 26px}
section{margin:48px 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:12px;margin:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:2px 0 0;color:var(--strong);font-size:26px;font-weight:620;letter-spacing:-.02em}
.tiles p{margin:2px 0 0;color:var(--soft);font-size:12.5px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:16px;align-items:start;margin:16px 0}
.plots:has(>:only-child){max-width:680px}
figure{margin:0}
figure svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin:16px 0}
table{width:100%;border-collapse:collapse;font-size:13.5px}
th,td{padding:8px 14px;text-align:right;border-top:1px solid var(--line);white-space:nowrap}
thead th{border-top:0;color:var(--soft);font-weight:550;white-space:normal;vertical-align:bottom}
th.text,td.text{text-align:left;white-space:normal;overflow-wrap:break-word;min-width:10em}
td:first-child{color:var(--strong)}
.wide{font-size:12px}
.wide th,.wide td{padding:8px}
tr.strong td{background:var(--tint);color:var(--strong);font-weight:600}
pre{margin:16px 0;padding:14px 16px;background:var(--card);border:1px solid var(--line);border-radius:10px;font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace;white-space:pre-wrap;overflow-wrap:anywhere}
footer{padding-top:44px;padding-bottom:56px;color:var(--soft);font-size:13px}
@media(prefers-color-scheme:dark){:root{--page:#0c0e12;--card:#14171d;--line:#2a303b;--text:#d5dae3;--soft:#98a2b3;--strong:#f2f4f7;--accent:#7ba6f5;--tint:#1b2740}${darkRules}}
@media print{@page{margin:14mm}body{background:#fff;font-size:12px}header,main,footer{max-width:none;padding:0}header{padding-top:0}section{margin-top:28px}section,figure,tr,.tiles div{break-inside:avoid}#data,#reproduce{break-inside:auto}h2,h3{break-after:avoid}.plots{grid-template-columns:1fr 1fr}.scroll{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
