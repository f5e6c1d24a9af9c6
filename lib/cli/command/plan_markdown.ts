/**
 * Formats a plan as Markdown, for a comment in a review. Text from outside is
 * only in code spans, so it cannot be markup, a link, a mention or HTML.
 *
 * @module
 */
import { oneLine, short } from "../../base/text.ts";
import { changes, type Plan } from "../../plan/plan.ts";
import {
  commitsText,
  headline,
  type Named,
  packagesText,
  packageText,
  rebootText,
  secretRows,
  signatureText,
  signed,
  stopText,
  unitMeanings,
  unitRows,
} from "./plan_words.ts";

/** Forges accept 65,536 characters in a comment, and some fewer. */
const maxCharacters = 30_000;

/** The maximum number of entries in a list; the rest is counted. */
const maxEntries = 50;

/** Formats a plan, in at most {@linkcode maxCharacters}. */
export function planMarkdown(plan: Plan): string {
  const isSame = changes(plan) === false;
  const parts = [
    `### Plan\n\n${code(headline(plan))}`,
    failurePart(plan),
    commitsPart(plan),
    ...isSame ? [] : [packagesPart(plan), unitsPart(plan)],
    secretsPart(plan),
    ...isSame ? [] : [listPart("Reboot", [rebootText(plan)])],
    listPart("What stops it", plan.stops.map(stopText)),
    listPart("Notes", plan.notes),
  ].filter((part) => part !== "");
  return bounded(parts);
}

/**
 * Returns as many whole parts as fit: a part that is cut could leave a code
 * span open.
 */
function bounded(parts: readonly string[]): string {
  const end = "_The rest is omitted: it is too long for a comment._";
  let text = "";
  for (const part of parts) {
    if (text.length + part.length + end.length + 4 > maxCharacters) {
      return `${text}\n${end}`;
    }
    text += text === "" ? part : `\n\n${part}`;
  }
  return text;
}

/**
 * Returns foreign text as a code span (CommonMark 0.31, 6.1): its fence is
 * longer than any run of backticks in it, and it is one line.
 */
export function code(text: string, most = 200): string {
  const line = oneLine(text, most);
  if (line === "") return "(empty)";
  const runs = line.match(/`+/g) ?? [];
  const fence = "`".repeat(
    Math.max(0, ...runs.map(({ length }) => length)) + 1,
  );
  const pad = /^`|`$/.test(line) || /^ .* $/.test(line) ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

function listPart(name: string, lines: readonly string[]): string {
  const some = lines.filter((line) => line !== "");
  if (some.length === 0) return "";
  return `**${name}**\n\n${bullets(some.map((line) => code(line, 400)))}`;
}

function bullets(lines: readonly string[]): string {
  const shown = lines.slice(0, maxEntries);
  const more = lines.length - shown.length;
  return [
    ...shown.map((line) => `- ${line}`),
    ...more > 0 ? [`- and ${more} more`] : [],
  ].join("\n");
}

function failurePart({ failure }: Plan): string {
  if (!failure) return "";
  const details = failure.details.slice(-10);
  return `**It would fail**\n\n${
    bullets([
      code(failure.message, 400),
      ...details.map((line) => code(line)),
    ])
  }`;
}

function commitsPart(plan: Plan): string {
  const { commits } = plan;
  if (!commits || commits.count === 0) return "";
  const lines = commits.list.map(
    ({ revision, subject, author, signature }) => {
      const said = signatureText(signature);
      const sign = said === "" ? "" : `, ${code(said, 120)}`;
      return `${short(revision)} ${code(subject, 120)} by ${
        code(author, 60)
      }${sign}`;
    },
  );
  return `**Commits:** ${code(commitsText(plan), 400)}\n\n${bullets(lines)}`;
}

function packagesPart({ packages }: Plan): string {
  if (!packages) return "";
  const lines = packages.changed.map((change) => {
    const { mark, versions } = packageText(change);
    const text = `${mark} ${change.name} ${versions} ${signed(change.bytes)}`;
    return code(text, 160);
  });
  const head = `**Packages:** ${packagesText(packages)}`;
  return lines.length === 0 ? head : `${head}\n\n${folded(bullets(lines))}`;
}

/** Returns the list, folded if it is long. */
function folded(list: string): string {
  const lines = list.split("\n").length;
  return lines <= 10
    ? list
    : `<details><summary>${lines} lines</summary>\n\n${list}\n\n</details>`;
}

function unitsPart(plan: Plan): string {
  const { units } = plan;
  const rows = unitRows(plan);
  const other = units?.other ?? [];
  if (rows.length + other.length === 0) {
    return units ? "**Units:** no unit changes" : "";
  }
  return `**Units**\n\n${
    bullets([
      ...rows.map(namedText),
      ...other.map((line) => `the switch also reports ${code(line)}`),
    ])
  }`;
}

function namedText([label, names]: Named): string {
  const shown = names.slice(0, maxEntries).map((name) => code(name, 120));
  const more = names.length - shown.length;
  const meaning = unitMeanings[label];
  return `${label}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}${
    meaning ? ` (${meaning})` : ""
  }`;
}

function secretsPart({ secrets, secretFiles }: Plan): string {
  const rows = [
    ...secrets ? secretRows(secrets) : [],
    ...(secretFiles ? secretRows(secretFiles) : []).map((
      [label, names],
    ): Named => [`${label} file`, names]),
  ];
  return rows.length === 0
    ? ""
    : `**Secrets**\n\n${bullets(rows.map(namedText))}`;
}
